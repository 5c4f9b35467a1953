/**
 * What is said between a manager and whoever controls it: the client's methods, and the types on
 * the wire.
 *
 * JSON over HTTP on a unix socket below `/v1`; what goes on for a while comes as server-sent
 * events. Kinds go by their names (`Service`). A refusal is a SkepError on both sides.
 */
import type {
  AnyKind,
  Assignment,
  ClusterSettings,
  Kind,
  Labels,
  LogAnswer,
  LogStream,
  NodeAvailability,
  NodeId,
  Revision,
  SelectorTexts,
  ServiceId,
  SkepErrorCode,
  StoredObject,
  TaskId,
  Timestamp,
} from '@skep/api';
import type { WhyOptions, WhyStep } from '@skep/controller';
import type { LoadedObject } from '@skep/manifest';
import type { AdmissionResult } from '@skep/orchestrator';
import type { Explanation } from '@skep/scheduler';
import type { CommitEvent, ObjectEvent } from '@skep/store';
import type { Problem } from 'skep';

/** The version of the protocol: the first part of every path. */
export const CONTROL_VERSION = 'v1';

/** A kind that the cluster keeps. */
export interface KindInfo {
  /** `Service`: what it is called on the wire. */
  readonly name: string;
  /** `services`: what people call it. */
  readonly plural: string;
  readonly hasUniqueName: boolean;
  /** Whether people may declare objects of the kind, or only the cluster itself writes them. */
  readonly isDeclarable: boolean;
}

/** What a manager says about itself and its cluster. */
export interface ClusterInfo {
  /** See {@link CONTROL_VERSION}. */
  readonly version: string;
  /** Revision of the newest commit. */
  readonly revision: Revision;
  /** The manager's clock. */
  readonly now: Timestamp;
  readonly kinds: readonly KindInfo[];
  /** The cluster's settings, defaults filled in. */
  readonly settings: ClusterSettings;
  readonly nodes: { readonly total: number; readonly ready: number };
  /** Whether the manager remembers why objects change: {@link ControlClient.why} answers. */
  readonly hasTrace: boolean;
  /** Most bytes that a request's body may have. */
  readonly bodyBytesMax: number;
}

/** Objects as of one revision. */
export interface ObjectList<Spec = unknown, Status = unknown> {
  readonly revision: Revision;
  /** By kind in the order in which they were asked for, then name, then id. */
  readonly objects: readonly StoredObject<Spec, Status>[];
}

/** What became of a change. */
export interface Changed {
  /**
   * A revision that holds the change: watching from here shows its consequences. Nothing was
   * written when all results say `unchanged`.
   */
  readonly revision: Revision;
  readonly results: readonly AdmissionResult[];
}

/** An object as it is declared over the wire. */
export interface DeclaredInput {
  /** Name of the kind. */
  readonly kind: string;
  readonly name: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly spec: unknown;
}

/** How objects are declared. */
export interface DeclareOptions {
  /** Whose the fields are: `user` by default, `stack NAME` by custom for files of a stack. */
  readonly manager?: string;
  /** Takes over fields that others have set to something else. Default: false. */
  readonly force?: boolean;
  /** Removes services of this stack that are not declared. */
  readonly prune?: string;
}

/**
 * A change of an object as a JSON merge patch: fields that are named are replaced, `null` removes
 * them, objects are merged, lists are replaced as a whole.
 * **Source:** RFC 7396.
 */
export interface ObjectPatch {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string | null>>;
}

/** A change of a node. */
export interface NodePatch {
  readonly availability?: NodeAvailability;
  /** As in {@link ObjectPatch}. */
  readonly labels?: Readonly<Record<string, string | null>>;
}

/** What is to be removed: an object by name or id, or everything with the label of a stack. */
export type RemovalInput =
  { readonly kind: string | AnyKind; readonly reference: string } | { readonly stack: string };

/** What a watch is to tell. */
export interface WatchOptions extends SelectorTexts {
  /** Commits after this one. Default: from now on. */
  readonly from?: Revision;
  /** Names of kinds, or their tokens. Default: all. */
  readonly kinds?: readonly (string | AnyKind)[];
  /** Events carry the object as it was before, too. Default: false. */
  readonly withPrevious?: boolean;
  /** Ends the watch; the iterable is over then, without an error. */
  readonly signal?: AbortSignal;
}

/** What a watch tells. The first message is `started`, once the watch misses nothing any more. */
export type WatchMessage =
  | { readonly type: 'started'; readonly revision: Revision }
  | (CommitMessage & { readonly type: 'commit' });

/** A commit on the wire: whole, as far as the watch asked for it. */
export interface CommitMessage extends Pick<CommitEvent, 'revision' | 'actor'> {
  readonly events: readonly ObjectEvent[];
}

/** What {@link ControlClient.follow} tells: everything as it is, then every change of it. */
export type FollowMessage =
  ({ readonly type: 'snapshot' } & ObjectList) | (CommitMessage & { readonly type: 'commit' });

/** Which lines are asked for. At least one service or task. */
export interface LogQuery {
  /** Services by name or id: all tasks that they have, also those that have ended. */
  readonly services?: readonly string[];
  /** Tasks by id, name or `SERVICE.SLOT`. */
  readonly tasks?: readonly string[];
  /** Goes on with what comes, over tasks that come later. Default: false. */
  readonly follow?: boolean;
  /** Only so many of the newest lines of each task. Default: all that are kept. */
  readonly tail?: number;
  /** Only lines from this time on. */
  readonly since?: Timestamp;
  /** Default: both. */
  readonly streams?: readonly LogStream[];
  /** Ends the stream; the iterable is over then, without an error. */
  readonly signal?: AbortSignal;
}

/** A line that a task wrote, and where. */
export interface TaskLine extends LogAnswer {
  /** `vote.1.x9k2…` */
  readonly taskName: string;
  readonly serviceId?: ServiceId;
  readonly nodeId: NodeId;
  readonly nodeName: string;
}

/**
 * A node did not answer, or not to its end, or it cannot read what a task wrote: lines of these
 * tasks are missing. With `follow` they go on where they stopped once the node answers again.
 */
export interface LogGap {
  readonly type: 'gap';
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly taskIds: readonly TaskId[];
  readonly code: SkepErrorCode;
  readonly message: string;
}

/**
 * What a log stream tells. Lines of one task come in their order; without `follow` all lines come
 * by time, as far as the nodes' clocks agree.
 */
export type LogMessage = TaskLine | LogGap;

/** What a node holds. Tables, names and renderings follow from it with `@skep/network`. */
export interface NodeTables {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  /** The revision that the node's kernel holds. */
  readonly appliedRevision: Revision;
  /** Complete, as the node was told last; without secrets and configs. */
  readonly assignment: Assignment;
}

/** A refusal on the wire. */
export interface ErrorBody {
  readonly code: SkepErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Controls a cluster from another process. Made by `controlClient`. References are names or ids.
 *
 * Every method rejects with the SkepError that the manager answered, and with `unavailable` when it
 * cannot be reached or goes away; a call may have done its work then.
 */
export interface ControlClient {
  info(): Promise<ClusterInfo>;

  /** Objects of one kind, all or those that a selector chooses. */
  list<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    selector?: SelectorTexts,
  ): Promise<ObjectList<Spec, Status>>;
  /** Objects of several kinds as of one revision. */
  listAll(kinds: readonly (AnyKind | string)[], selector?: SelectorTexts): Promise<ObjectList>;
  /** One object; tasks also by `SERVICE.SLOT`. @throws not-found */
  get<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    reference: string,
  ): Promise<StoredObject<Spec, Status>>;

  /**
   * Declares objects together, all or none.
   * @throws invalid-argument, conflict, … with every complaint in `details.complaints`.
   */
  declare(objects: readonly DeclaredInput[], options?: DeclareOptions): Promise<Changed>;
  /** The same for objects that were read from files: each complaint with its place there. */
  declareLoaded(objects: readonly LoadedObject[], options?: DeclareOptions): Promise<Changed>;

  /** Sets the number of a service's replicas. */
  scale(service: string, replicas: number): Promise<Changed>;
  /** Changes a service's spec and labels. What differs is the user's from then on. */
  update(service: string, patch: ObjectPatch): Promise<Changed>;
  /** The same for an object of any kind that may be declared: labels of a secret, say. */
  patch(kind: AnyKind | string, reference: string, patch: ObjectPatch): Promise<Changed>;
  /** Goes back to a service's earlier declaration; to a given generation that is still known. */
  rollback(service: string, options?: { readonly toSpecVersion?: number }): Promise<Changed>;
  /** Replaces all tasks of a service though nothing changes. */
  forceUpdate(service: string): Promise<Changed>;
  /** Updates of the service touch no task until {@link ControlClient.resume}. */
  hold(service: string): Promise<Changed>;
  resume(service: string): Promise<Changed>;

  /** Removes objects and stacks together, all or none. Nodes: {@link ControlClient.removeNode}. */
  remove(targets: readonly RemovalInput[]): Promise<Changed>;
  /** Changes a node's availability and labels. */
  updateNode(node: string, patch: NodePatch): Promise<Changed>;
  /**
   * Takes a node away for good; its tasks are replaced.
   * @throws failed-precondition for a node that is not down, unless `force`; for a manager.
   */
  removeNode(node: string, options?: { readonly force?: boolean }): Promise<Changed>;

  /**
   * Commits from a revision on, whole and in order.
   * @throws compacted when commits after `from` are forgotten, resync-required when this client
   * fell behind, unavailable when the manager stops or the connection breaks.
   */
  watch(options?: WatchOptions): AsyncIterable<WatchMessage>;
  /**
   * Everything as it is, then every change of it; a snapshot again instead of `compacted` and
   * `resync-required`. @throws unavailable as {@link ControlClient.watch} does.
   */
  follow(options?: Omit<WatchOptions, 'from'>): AsyncIterable<FollowMessage>;

  /** Whatever keeps the cluster from being as declared. */
  problems(): Promise<readonly Problem[]>;
  /** Where a task (id, name, `SERVICE.SLOT`, or a service: its first that waits) would go now. */
  explain(task: string): Promise<Explanation>;
  /** Why an object changed. @throws failed-precondition without a trace. */
  why<Spec, Status>(
    kind: Kind<Spec, Status> | string,
    reference: string,
    options?: WhyOptions,
  ): Promise<readonly WhyStep[]>;

  /** What tasks wrote: lines, and a word for each node that did not answer. */
  logs(query: LogQuery): AsyncIterable<LogMessage>;
  /** What a node holds. @throws unavailable when it does not answer. */
  tables(node: string): Promise<NodeTables>;
  /** Metrics as Prometheus reads them. @throws unimplemented when the manager counts nothing. */
  metrics(): Promise<string>;

  /** Ends every connection; what is under way rejects with `aborted`. */
  close(): Promise<void>;
}
