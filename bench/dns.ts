/**
 * The resolver's logic: a million questions of a task on a node with 1,000 services of ten tasks
 * each, as a pure function (`answers`) and from bytes to bytes (`messages`).
 */
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { answerQuery, buildNameView, resolveName, type NameView } from '@skep/network';
import { stateOfServices } from './support/node-state.js';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

const QUESTIONS = 1_000_000;
const SERVICES = 1_000;
const TASKS = 10;

interface Question {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'PTR' | 'MX';
}

/** What clients ask: mostly for services, some for all tasks, for names of others, for pointers. */
function questions(): readonly Question[] {
  return Array.from({ length: 1_000 }, (_, at): Question => {
    const name = `service${(at * 7) % SERVICES}`;
    if (at % 10 === 0) return { name: `tasks.${name}`, type: 'A' };
    if (at % 10 === 1) return { name: `${name}.front`, type: 'A' };
    if (at % 10 === 2) return { name: 'www.example.com', type: 'A' };
    if (at % 10 === 3) return { name, type: 'AAAA' };
    if (at % 10 === 4) return { name: `nobody${at}.front`, type: 'A' };
    if (at % 10 === 5) return { name: '9.2.1.10.in-addr.arpa', type: 'PTR' };
    return { name, type: 'A' };
  });
}

function answerAll(view: NameView, asked: readonly Question[]): number {
  const asker = { networks: ['front'] };
  let records = 0;
  for (let at = 0; at < QUESTIONS; at += 1) {
    const answer = resolveName(asked[at % asked.length] as Question, asker, view, at);
    if (answer.type === 'answer') records += answer.records.length;
  }
  return records;
}

function answerMessages(view: NameView, messages: readonly Uint8Array[]): number {
  const asker = { networks: ['front'] };
  let replies = 0;
  for (let at = 0; at < QUESTIONS / 10; at += 1) {
    const bytes = messages[at % messages.length] as Uint8Array;
    const outcome = answerQuery(bytes, { asker, view, transport: 'udp', seed: at });
    if (outcome.type === 'reply') replies += 1;
  }
  return replies;
}

async function* run(): AsyncIterable<BenchResult> {
  const view = buildNameView(stateOfServices({ services: SERVICES, backends: TASKS }));
  const asked = questions();
  const messages = asked.map(({ name, type }) =>
    encode({ type: 'query', id: 1, flags: RECURSION_DESIRED, questions: [{ name, type }] }),
  );
  const median = (work: () => number): Promise<number> =>
    medianOf(() =>
      millisecondsOf(() => {
        if (work() === 0) throw new Error('nothing was answered');
      }),
    );
  const answers = await median(() => answerAll(view, asked));
  yield { case: 'answers, 1M', metric: 'time', value: answers, unit: 'ms' };
  const bytes = await median(() => answerMessages(view, messages));
  yield { case: 'messages, 100k', metric: 'time', value: bytes, unit: 'ms' };
}

/** The benchmark of names. */
export const bench: Bench = {
  name: 'dns',
  about: 'answers of the resolver: pure (1M), and from bytes to bytes (100k)',
  run,
};
