/**
 * What simulated containers do, beyond being there: how long things take, when they end, what they
 * answer.
 */
import type { AssignedTask, LogStream, Random } from '@skep/api';

/** A request that reached a container. */
export interface SimulatedRequest {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Port inside the container. */
  readonly port: number;
  readonly path: string;
  /** Address that the container sees as the client's. */
  readonly source: string;
}

/** What a container answers. */
export interface SimulatedResponse {
  readonly status: number;
  readonly body: string;
}

/** How one container behaves. Every field has a default that suits a well-behaved server. */
export interface ContainerBehaviour {
  /** Time to pull the image when the node does not have it. Default: 200–800 ms. */
  readonly pullMs?: number;
  /** The image cannot be had: the task is rejected with this text. */
  readonly pullError?: string;
  /** Time to create the container. Default: 20–80 ms. */
  readonly createMs?: number;
  /** Time to start it. Default: 50–150 ms. */
  readonly startMs?: number;
  /** Starting fails with this text. */
  readonly startError?: string;
  /**
   * Time from the start until the health check passes, for containers that have one. Default: the
   * interval of the check, as the engine checks first after one interval. `never` is unhealthy.
   */
  readonly healthyAfterMs?: number | 'never';
  /** It ends by itself this long after the start. Default: never, and a second for jobs. */
  readonly exit?: { readonly afterMs: number; readonly exitCode: number };
  /** What it prints by itself, so long after the start. Default: nothing. */
  readonly prints?: readonly {
    readonly afterMs: number;
    readonly text: string;
    /** Default: stdout. */
    readonly stream?: LogStream;
  }[];
  /** Time from the stop signal to the end. Default: 10–100 ms. */
  readonly stopMs?: number;
  /** It ends only when it is killed, after the grace period. */
  readonly ignoresStopSignal?: boolean;
  /** Default: 200, and the first twelve digits of the container's id. */
  readonly respond?: (request: SimulatedRequest, containerId: string) => SimulatedResponse;
}

/** Chooses the behaviour of a task's container. */
export type BehaviourOf = (task: AssignedTask, nodeName: string) => ContainerBehaviour;

/** Durations of one container's life, drawn once. */
export interface ContainerTimes {
  readonly pullMs: number;
  readonly createMs: number;
  readonly startMs: number;
  readonly stopMs: number;
}

/** Draws what the behaviour leaves open. */
export function drawTimes(behaviour: ContainerBehaviour, random: Random): ContainerTimes {
  const between = (from: number, to: number): number => from + random.int(to - from + 1);
  const [pull, create, start, stop] = [
    between(200, 800),
    between(20, 80),
    between(50, 150),
    between(10, 100),
  ];
  return {
    pullMs: behaviour.pullMs ?? pull,
    createMs: behaviour.createMs ?? create,
    startMs: behaviour.startMs ?? start,
    stopMs: behaviour.stopMs ?? stop,
  };
}

/** The engine's default interval of a health check. */
const HEALTH_INTERVAL_MS = 30_000;

/** Whether the task's container has a health check of its own. */
export function hasHealthCheck(task: AssignedTask): boolean {
  const test = task.template.container?.healthCheck?.test;
  return test !== undefined && test.length > 0 && test[0] !== 'NONE';
}

/** Time until the container is healthy; 0 without a health check. */
export function timeToHealthy(task: AssignedTask, behaviour: ContainerBehaviour): number | 'never' {
  const check = task.template.container?.healthCheck;
  if (behaviour.healthyAfterMs === 'never') return 'never';
  if (check === undefined || !hasHealthCheck(task)) return behaviour.healthyAfterMs ?? 0;
  const first = (check.startPeriodMs ?? 0) > 0 ? check.startIntervalMs : undefined;
  return behaviour.healthyAfterMs ?? first ?? check.intervalMs ?? HEALTH_INTERVAL_MS;
}

/** Time from the start until an unhealthy container is given up: all retries after the period. */
export function timeToUnhealthy(task: AssignedTask): number {
  const check = task.template.container?.healthCheck;
  const interval = check?.intervalMs ?? HEALTH_INTERVAL_MS;
  return (check?.startPeriodMs ?? 0) + interval * (check?.retries ?? 3);
}
