/**
 * Commands on a cluster behind a real control server, over its unix socket.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tablesJson } from '@skep/network';
import { EXIT } from '../src/surroundings.js';
import { serveCluster, type ServedCluster } from './served-cluster.js';

const STACK = `
services:
  vote:
    image: example/vote:1
    networks: [front]
    ports: ["8080:80"]
    secrets: [token]
    deploy: { replicas: 2 }
  client: { image: example/client:1, networks: [front] }
  db:
    image: example/db:1
    networks: [front]
    deploy: { placement: { constraints: [node.labels.disk == ssd] } }
networks: { front: {} }
secrets: { token: { file: ./token } }
`;
const FILES = { 's.yml': STACK, token: 'abc' };

let served: ServedCluster;

/** Lets virtual time pass as long as a command runs. */
async function meanwhile<T>(command: Promise<T>): Promise<T> {
  const passing = { isOver: false };
  const passes = (async () => {
    while (!passing.isOver) {
      await served.cluster.advance(50);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  try {
    return await command;
  } finally {
    passing.isOver = true;
    await passes;
  }
}

const skep = (line: string) => meanwhile(served.skep(line, FILES));

beforeAll(async () => {
  served = await serveCluster({ nodes: 2, trace: true });
  await served.cluster.settle();
  await served.skep('apply -f s.yml', FILES);
  await served.cluster.settle();
});

afterAll(() => served.close());

describe('looking at a running cluster', () => {
  it('get and describe', async () => {
    const { code, out } = await skep('get services,tasks');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^vote +replicated +2\/2 +example\/vote:1 +8080->80\/tcp +ok/m);
    expect(out).toMatch(/^db\.1\.\w{5} +- +pending/m);
    const { out: described } = await skep('describe db.1');
    expect(described).toMatch(/^ {4}node1, node2: constraint needs node\.labels\.disk == ssd/m);
  });

  it('contents of secrets are never shown', async () => {
    for (const output of ['json', 'yaml', 'manifest']) {
      const { code, out } = await skep(`get secret token -o ${output}`);
      expect(code).toBe(EXIT.ok);
      expect(out).not.toContain('YWJj');
    }
  });

  it('explain and why', async () => {
    const explained = await skep('explain db.1');
    expect(explained.code).toBe(EXIT.unsettled);
    expect(explained.out).toMatch(/node1 +constraint: constraint needs node\.labels\.disk == ssd/);
    const why = await skep('why vote.1 --field status.nodeId');
    expect(why.code).toBe(EXIT.ok);
    expect(why.out).toMatch(
      /^r\d+ +user +created Service vote\n[^]*scheduler +place: updated Task/,
    );
  });

  it('tables, from what the node says that it holds', async () => {
    const { code, out } = await skep('tables node1 --network front');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/10\.0\.\d\.\d+ +0x\d+ +vote +all +rr +10\.0\.\d\.\d+ +1 +vote\.1\./);
    // The very tables that the node's dataplane holds.
    const held = served.cluster.host('node1').dataplane.tables;
    if (held === undefined) throw new Error('the node holds no tables');
    const shown = JSON.parse((await skep('tables node1 --format json')).out) as object;
    expect(shown).toEqual({ ...tablesJson(held), revision: expect.any(Number) });
  });

  it('dns, as the task would be answered', async () => {
    const { code, out } = await skep('dns vote --from client');
    expect(code).toBe(EXIT.ok);
    const [address] = served.cluster.lookup('vote', { from: 'client' }).addresses;
    expect(out).toContain(`NOERROR: known\n  ${address ?? 'no address'}\n`);
    expect((await skep('dns tasks.nobody --from client')).code).toBe(EXIT.unsettled);
  });

  it('trace goes the way of a request in the same cluster, and starts nothing', async () => {
    const { code, out } = await skep('trace packet --to node2:8080 --count 2');
    expect(code).toBe(EXIT.ok);
    expect(new Set(out.match(/by vote\.\d/g))).toEqual(new Set(['by vote.1', 'by vote.2']));
    const inside = await skep('trace packet --to http://vote/ --from client');
    expect(inside.out).toMatch(/^client → http:\/\/vote\/ \(tcp\)\n[^]* {2}by vote\.[12]\./);
    const unknown = await skep('trace packet --to http://nobody/ --from client');
    expect(unknown).toMatchObject({ code: EXIT.unsettled });
    expect(unknown.out).toContain("the name 'nobody' is not known");
  });

  it('map draws all nodes', async () => {
    const { out } = await skep('map');
    expect(out).toMatch(/^node1 {2}192\.168[^]*VIP of vote[^]*^node2 {2}192\.168/m);
    expect((await skep('map --format svg --to node1:8080')).out).toMatch(/^<svg/);
  });

  it.each([
    ['tables node9', /no node 'node9'; known: node1, node2/],
    ['tables node1 --nodes 3 --seed 5', /^skep: --nodes, --seed: that is about simulated clusters/],
    ['dns vote --from nobody', /no running task is meant by 'nobody'/],
    ['why nobody', /nothing is meant by 'nobody'/],
    ['explain nobody', /no task is meant by 'nobody'/],
    ['tables node1 -f s.yml', /-f simulates files; it does not go with --cluster/],
  ])('%s is refused', async (line, message) => {
    const { code, err } = await skep(line);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(message);
  });

  it('completes names', async () => {
    const { out } = await served.words(['complete', '--', 'drain', '--socket', served.socket, '']);
    expect(out).toBe('node1\t\nnode2\t\n');
  });
});

describe('changing a running cluster', () => {
  it('what the manager refuses is told with its place in the file', async () => {
    const taken = STACK.replaceAll('vote', 'other').replace('secrets: [token]', '');
    const { code, err } = await served.skep('apply -f s.yml', { ...FILES, 's.yml': taken });
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(/^s\.yml:6:\d+: error: .*8080/m);
  });

  it('scale, update and rollback wait until it is so', async () => {
    const scaled = await skep('scale vote=4 --watch');
    expect(scaled).toMatchObject({ code: EXIT.ok, err: '' });
    expect(scaled.out).toMatch(
      /^service\/vote updated\nvote 2\/4: [^]*\nvote 4\/4\nas declared\n$/,
    );
    const updated = await skep('update vote --image example/vote:2 --env-add LEVEL=debug --watch');
    expect(updated.code).toBe(EXIT.ok);
    expect((await skep('get svc vote -o json')).out).toMatch(/"LEVEL=debug"/);
    const back = await skep('rollback vote --watch');
    expect(back).toMatchObject({ code: EXIT.ok });
    expect((await skep('get svc vote')).out).toMatch(/example\/vote:1/);
  });

  it('labels let a task find its place; drain takes all of them away', async () => {
    await skep('label node/node2 disk=ssd');
    await served.cluster.settle();
    expect((await skep('get svc db')).out).toMatch(/^db +replicated +1\/1/m);
    const drained = await skep('drain node1 --watch');
    expect(drained).toMatchObject({ code: EXIT.ok });
    expect((await skep('get node node1')).out).toMatch(/^node1 +manager +ready +drain +\S+ +0 /m);
    await skep('activate node1');
  });

  it('get -w follows over the socket until it is interrupted', async () => {
    const user = new AbortController();
    const watching = served.skep('get svc client -w', FILES, {
      interruption: () => user.signal,
    });
    await served.skep('scale client=2', FILES);
    await served.cluster.settle();
    setTimeout(() => user.abort(), 300);
    const { code, out } = await watching;
    expect(code).toBe(EXIT.interrupted);
    expect(out).toMatch(/^client +replicated +2\/2/m);
  });

  it('rm removes together, or nothing', async () => {
    const refused = await skep('rm vote nobody');
    expect(refused.code).toBe(EXIT.badInput);
    const removed = await skep('rm vote client db --watch');
    expect(removed).toMatchObject({ code: EXIT.ok });
    expect((await skep('get svc')).err).toBe('no services\n');
    expect((await skep('rm net/front secret/token')).code).toBe(EXIT.ok);
  });
});
