/** What the program in user-mode-linux writes down for the test outside. */
export interface UmlResults {
  /** `NODE.REST` of each namespace → what the kernel's tools print. */
  readonly tables: Readonly<Record<string, string>>;
  /** Way → who answered, and what address it saw. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
  /** One of two backends drains: new connections, those under way, and those after it. */
  readonly drain: {
    readonly whileDraining: readonly string[];
    readonly underWay: readonly string[];
    readonly afterwards: readonly string[];
  };
  readonly repair: {
    /** Complaints of the commands that did harm. */
    readonly harmed: readonly string[];
    readonly findings: readonly string[];
    readonly answers: readonly string[];
    readonly mesh: readonly string[];
    /** Findings of another repair. */
    readonly again: readonly string[];
  };
  /**
   * The balancer of the network that another agent of node1 leaves, and what a connection meanwhile
   * was answered.
   */
  readonly successor: {
    readonly tables: Readonly<Record<string, string>>;
    readonly during: readonly string[];
  };
  /** Namespaces that are there at the end. */
  readonly left: readonly string[];
}
