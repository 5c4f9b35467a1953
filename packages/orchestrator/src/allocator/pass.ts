/**
 * One pass of the allocator: what was given so far, and how to take it back.
 *
 * The memory is changed while the pass plans, so that two objects do not get one address, and
 * restored when it ends: what counts is what the store says afterwards. So a pass may be planned
 * twice, and a plan that was not committed leaves no trace.
 */
import {
  Network,
  isDeleting,
  type ClusterSettings,
  type NetworkId,
  type Revision,
  type StoredObject,
  type Timestamp,
} from '@skep/api';
import type { EventDraft } from '@skep/controller';
import { releaseClaim, withoutPrefix, type PortClaim } from '@skep/network';
import type { View } from '@skep/store';
import { isInForce } from '../in-force.js';
import type { AddressBook } from './address-book.js';
import { reasonOf, type Failure } from './failure.js';
import type { AllocatorKey } from './key-index.js';
import type { AllocatorMemory } from './memory.js';
import { HELD, NetworkDraft } from './network-draft.js';
import type { NetworkLedger } from './network-ledger.js';
import { TiedGroups, type Entry } from './tied-groups.js';

/** State of a pass that is being planned. */
export class AllocationPass {
  readonly view: View;
  readonly now: Timestamp;
  readonly memory: AllocatorMemory;
  /** Objects to write that give nothing up. */
  readonly entries: Entry[] = [];
  /** Objects to write that give addresses up. */
  readonly tied = new TiedGroups();
  readonly drafts = new Map<NetworkId, NetworkDraft>();
  readonly requeueAt = new Map<string, Timestamp>();
  readonly events: EventDraft[] = [];
  readonly #undo: (() => void)[] = [];
  readonly #atEnd: (() => void)[] = [];
  /** Per network, the highest revision known to be in force and the lowest known not to be. */
  readonly #inForce = new Map<NetworkId, { yes: Revision; no: Revision }>();

  constructor(view: View, memory: AllocatorMemory, now: Timestamp) {
    this.view = view;
    this.memory = memory;
    this.now = now;
  }

  get book(): AddressBook {
    return this.memory.book;
  }

  get settings(): ClusterSettings {
    return this.book.settings;
  }

  /** A place to roll back to. */
  mark(): number {
    return this.#undo.length;
  }

  /** Takes back everything since the mark. */
  rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** Leaves the memory as it was before the pass. */
  end(): void {
    this.rollback(0);
    for (const restore of this.#atEnd.splice(0)) restore();
  }

  /** Remembers how to take back what was just done. */
  onRollback(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A network by id or by name, compared without case. */
  network(target: string): Network | undefined {
    return this.view.get(Network, target) ?? this.view.getByName(Network, target);
  }

  /** The network of published ports: the oldest, should there be several. */
  ingress(): Network | undefined {
    const networks = [...this.memory.ingress].flatMap((id) => this.view.get(Network, id) ?? []);
    return networks
      .filter((network) => !isDeleting(network))
      .sort((a, b) => a.meta.createdAt - b.meta.createdAt || (a.meta.id < b.meta.id ? -1 : 1))[0];
  }

  /** The ledger of a network that had subnets before this pass. */
  ledger(networkId: NetworkId): NetworkLedger | undefined {
    const ledger = this.book.ledgers.get(networkId);
    return ledger?.hasSubnets === true ? ledger : undefined;
  }

  /**
   * Gives the next address of each family; undefined when there is none. What was in quarantine
   * until now is free.
   */
  allocate(networkId: NetworkId): readonly string[] | undefined {
    const ledger = this.ledger(networkId);
    if (ledger === undefined) return undefined;
    this.draft(networkId);
    const last = ledger.lastAddresses;
    const addresses = ledger.allocate();
    if (addresses === undefined) return undefined;
    this.onRollback(() => {
      for (const address of addresses) ledger.unclaim(address);
      ledger.lastAddresses = last;
    });
    return addresses;
  }

  /** Gives a certain address: its CIDR form, or why not. */
  take(networkId: NetworkId, address: string): ReturnType<NetworkLedger['take']> {
    const ledger = this.ledger(networkId);
    if (ledger === undefined) return 'outside';
    this.draft(networkId);
    const taken = ledger.take(address);
    if (typeof taken === 'object') this.onRollback(() => ledger.unclaim(taken.address));
    return taken;
  }

  /**
   * Sends an address into quarantine: for the time to live of names, or, when tables may still hold
   * it (`isHeld`), until they do not and then for that time. Says whether the network has to be
   * committed with the object that gives the address up; not if it does not exist (defect 21).
   */
  giveBack(networkId: NetworkId, address: string, isHeld: boolean): boolean {
    const draft = this.draft(networkId);
    const plain = withoutPrefix(address);
    const { dnsTtlMs } = this.settings;
    if (draft === undefined || (!isHeld && dnsTtlMs <= 0)) return false;
    const entry = isHeld
      ? { address: plain, until: HELD, removedIn: 0 }
      : { address: plain, until: this.now + dnsTtlMs };
    this.onRollback(draft.addQuarantine(entry));
    return true;
  }

  /** Remembers changes of ports that were made in the book already. */
  notePorts(claimed: readonly PortClaim[], released: readonly PortClaim[]): void {
    this.onRollback(() => {
      for (const { protocol, port, mode, owner } of released) {
        this.book.ports[protocol].claim(port, mode, owner);
      }
      for (const claim of claimed) releaseClaim(this.book.ports, claim);
    });
  }

  /** The network as this pass will leave it; its expired quarantine is over. */
  draft(networkId: NetworkId): NetworkDraft | undefined {
    const known = this.drafts.get(networkId);
    if (known !== undefined) return known;
    const network = this.view.get(Network, networkId);
    if (network === undefined) return undefined;
    const draft = new NetworkDraft(network);
    this.drafts.set(networkId, draft);
    const expired = draft.quarantine.filter(
      ({ until, removedIn }) => removedIn === undefined && until <= this.now,
    );
    if (expired.length > 0) {
      draft.quarantine = draft.quarantine.filter((entry) => !expired.includes(entry));
      const ledger = this.book.ledgers.get(networkId);
      for (const { address } of expired) ledger?.unclaim(address);
      // Not rolled back before the end: it is over, whatever becomes of the object that asked.
      this.#atEnd.push(() => {
        for (const { address } of expired) ledger?.claim(address);
      });
    }
    return draft;
  }

  /** Like `isInForce`, asked seldom: what holds for a revision holds for those before it. */
  isInForce(networkId: NetworkId, revision: Revision): boolean {
    let known = this.#inForce.get(networkId);
    if (known === undefined) this.#inForce.set(networkId, (known = { yes: 0, no: Infinity }));
    if (revision <= known.yes) return true;
    if (revision >= known.no) return false;
    const answer = isInForce(this.view, networkId, revision);
    if (answer) known.yes = revision;
    else known.no = revision;
    return answer;
  }

  /**
   * Writes an object. `ties`: networks that it gives addresses up to. When its commit has no room
   * for that, everything since `mark` is taken back, and the key comes again at once.
   */
  write(input: {
    readonly key: AllocatorKey;
    readonly object: StoredObject;
    readonly mark: number;
    readonly ties?: Iterable<NetworkId>;
  }): void {
    const { key, object, mark } = input;
    const entry: Entry = { key, object, ties: [...new Set(input.ties ?? [])] };
    if (entry.ties.length === 0) {
      this.entries.push(entry);
    } else if (!this.tied.add(entry)) {
      this.rollback(mark);
      this.requeueAt.set(key, this.now);
    }
  }

  /** Tells people. */
  warn(regarding: StoredObject, { code, message }: Failure): void {
    this.events.push({ regarding, type: 'warning', reason: reasonOf(code), message });
  }
}
