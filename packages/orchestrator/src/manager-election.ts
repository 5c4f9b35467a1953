/**
 * Several managers on one store: which of them leads, and what the others say to nodes.
 *
 * **Source:** SwarmKit manager/manager.go (handleLeadershipEvents) for the life of the loops.
 * There,
 * a follower forwards what nodes say to the leader; here it names the leader, and the node goes to
 * it.
 */
import {
  SkepError,
  type Clock,
  type Logger,
  type Metrics,
  type NodeLink,
  type Random,
} from '@skep/api';
import { LeaderElector, type LeaderElectorOptions } from '@skep/controller';
import type { Store } from '@skep/store';
import { AnswerStream } from './dispatcher/answer-stream.js';
import type { Dispatcher } from './dispatcher/index.js';

/** How a manager takes part in the election of a leader. All managers need the same times. */
export interface ManagerElection extends Omit<LeaderElectorOptions, 'onStarted' | 'onStopped'> {
  /** Name of this manager; another must not have it at the same time. */
  readonly identity: string;
}

/** Seams of an elector. */
interface ElectionSeams {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The elector that is meant: one that is there, or one with these settings. */
export function electorOf(
  election: ManagerElection | LeaderElector,
  seams: ElectionSeams,
): LeaderElector {
  if ('fence' in election) return election;
  const { identity, ...options } = election;
  return new LeaderElector({ ...seams, identity }, options);
}

/** The link of a manager: the one within while it leads; otherwise it says who does. */
export function leaderLink(inner: NodeLink, elector: LeaderElector): NodeLink {
  return {
    open: async (hello, handlers) => {
      if (!elector.isLeader) throw notLeading(elector);
      return inner.open(hello, handlers);
    },
  };
}

/** How a manager asks nodes: they answer while it leads; otherwise it says who does. */
export function leaderAsk(dispatcher: Dispatcher, elector: LeaderElector): Dispatcher['ask'] {
  return (nodeId, question, signal) => {
    const open = (): ReturnType<Dispatcher['ask']> => {
      if (!elector.isLeader) throw notLeading(elector);
      return dispatcher.ask(nodeId, question);
    };
    return new AnswerStream({ open, signal });
  };
}

function notLeading({ identity, leader }: LeaderElector): SkepError {
  const isKnown = leader !== undefined && leader !== identity;
  const who = isKnown ? `'${leader}' does` : 'nobody does at present';
  return new SkepError('unavailable', `manager '${identity}' does not lead, ${who}`, {
    details: { manager: identity, ...(isKnown ? { leader } : {}) },
  });
}

/** Waits for the promise, or for the signal. Rejects as the promise does. */
export function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    promise.then(resolve, reject);
  });
}
