/**
 * Requests as a person makes them: `curl node1:8080`, `curl http://vote/`.
 */
import { SkepError, type TaskId } from '@skep/api';
import type { Hop } from '@skep/network';

/** How a request is made. */
export interface RequestOptions {
  /** Task that asks. Default: somebody outside of the cluster. */
  readonly from?: TaskId;
  /** Default: tcp. */
  readonly protocol?: 'tcp' | 'udp' | 'sctp';
}

/** What became of a request. */
export interface RequestResult {
  /**
   * `answered`: a container answered. `refused`: it arrived where nobody listens. `dropped`: it or
   * its answer was lost. `unresolved`: the name is not known.
   */
  readonly outcome: 'answered' | 'refused' | 'dropped' | 'unresolved';
  readonly status?: number;
  /** What the container answered; '' when none did. */
  readonly body: string;
  readonly node?: string;
  readonly taskId?: TaskId;
  /** `vote.1.x9k2…` */
  readonly taskName?: string;
  readonly containerId?: string;
  /** Address that the container saw as the client's. */
  readonly seenSource?: string;
  /** Why it was not answered. */
  readonly reason?: string;
  /** The way of the request, hop by hop, and of the answer. */
  readonly hops: readonly Hop[];
  readonly replyHops: readonly Hop[];
}

/** A target taken apart. */
export interface RequestTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const TARGET = /^(?:http:\/\/)?(\[[^\]\s]+\]|[^:/?#\s[\]]+)(?::(\d{1,5}))?(\/.*)?$/;

/**
 * Reads `node1:8080`, `http://vote/`, `10.0.1.2:80/path`. Port 80 and path `/` when left out.
 * @throws invalid-argument for anything else.
 */
export function parseTarget(text: string): RequestTarget {
  const match = TARGET.exec(text);
  const port = Number(match?.[2] ?? 80);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new SkepError(
      'invalid-argument',
      `'${text}' is no target: write HOST:PORT or http://HOST/`,
    );
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port, path: match[3] ?? '/' };
}
