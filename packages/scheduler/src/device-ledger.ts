/**
 * The devices of one node: which there are, what is free of each, how many tasks hold how much.
 *
 * A device has an index among those of its kind. Tasks hold thousandths of devices; what each was
 * given is recorded in its status and restored from there.
 */
import {
  DEVICE_CAPACITY_MILLI,
  type DeviceRequest,
  type DeviceShare,
  type NodeDevice,
} from '@skep/api';

/** The devices of one kind on a node; by index. Look, do not touch. */
export interface DevicesOfKind {
  readonly kind: string;
  readonly models: readonly string[];
  readonly capacityMilli: readonly number[];
  /** What no task holds; negative when more is held than there is. */
  readonly freeMilli: readonly number[];
  /** The sum over all devices. */
  readonly totalFreeMilli: number;
  /** The devices of which everything is free. */
  readonly wholeFree: number;
  /**
   * How many tasks hold devices of this kind, by how many whole ones: 2 → tasks with two whole
   * devices; 0 → tasks with shares of devices only.
   */
  readonly holders: ReadonlyMap<number, number>;
}

class KindLedger implements DevicesOfKind {
  readonly kind: string;
  models: string[] = [];
  capacityMilli: number[] = [];
  freeMilli: number[] = [];
  totalFreeMilli = 0;
  wholeFree = 0;
  readonly holders = new Map<number, number>();

  constructor(kind: string) {
    this.kind = kind;
  }
}

/** Shared by all nodes without devices. */
const NO_KINDS: ReadonlyMap<string, KindLedger> = new Map();

/** The devices of a node. */
export class DeviceLedger {
  #kinds: ReadonlyMap<string, KindLedger> = NO_KINDS;

  /** The devices of a kind; undefined when the node has none and no task claims any. */
  of(kind: string): DevicesOfKind | undefined {
    return this.#kinds.get(kind);
  }

  /** Replaces what the node has. `held` is what each task on the node holds. Cost: O(both). */
  declare(
    devices: readonly NodeDevice[] = [],
    held: readonly (readonly DeviceShare[])[] = [],
  ): void {
    this.#kinds = NO_KINDS;
    for (const { kind, model = '', capacityMilli = DEVICE_CAPACITY_MILLI } of devices) {
      const ledger = this.#ledger(kind);
      ledger.models.push(model);
      ledger.capacityMilli.push(capacityMilli);
      ledger.freeMilli.push(capacityMilli);
    }
    for (const ledger of this.#kinds.values()) sumUp(ledger);
    for (const shares of held) this.take(shares);
  }

  /** Takes the shares, whether or not they are free: what a task holds, it holds. */
  take(shares: readonly DeviceShare[]): void {
    this.#move(shares, 1);
  }

  /** Gives back what {@link DeviceLedger.take} took. */
  giveBack(shares: readonly DeviceShare[]): void {
    this.#move(shares, -1);
  }

  #move(shares: readonly DeviceShare[], sign: 1 | -1): void {
    let whole = 0;
    for (let at = 0; at < shares.length; at += 1) {
      const { kind, index, milli } = shares[at] as DeviceShare;
      const ledger = this.#ledger(kind);
      // A task may hold what the node does not declare (any more).
      while (ledger.freeMilli.length <= index) ledger.freeMilli.push(0);
      ledger.freeMilli[index] = (ledger.freeMilli[index] as number) - sign * milli;
      if (milli >= (ledger.capacityMilli[index] ?? 0)) whole += 1;
      // Shares of one kind stand together.
      if (shares[at + 1]?.kind === kind) continue;
      const holders = (ledger.holders.get(whole) ?? 0) + sign;
      if (holders === 0) ledger.holders.delete(whole);
      else ledger.holders.set(whole, holders);
      whole = 0;
      sumUp(ledger);
    }
  }

  #ledger(kind: string): KindLedger {
    let ledger = this.#kinds.get(kind);
    if (ledger === undefined) {
      ledger = new KindLedger(kind);
      this.#kinds = new Map([...this.#kinds, [kind, ledger]]);
    }
    return ledger;
  }
}

function sumUp(ledger: KindLedger): void {
  let total = 0;
  let whole = 0;
  for (let index = 0; index < ledger.capacityMilli.length; index += 1) {
    const free = ledger.freeMilli[index] as number;
    total += free;
    if (free === ledger.capacityMilli[index]) whole += 1;
  }
  ledger.totalFreeMilli = total;
  ledger.wholeFree = whole;
}

/** What a request takes of the device: the whole, unless it names a share. */
export function shareOf({ milli }: DeviceRequest, capacityMilli: number): number {
  return milli ?? capacityMilli;
}

/** Whether the device will do for the request now. */
export function isDeviceFit(
  devices: DevicesOfKind,
  index: number,
  request: DeviceRequest,
): boolean {
  const capacity = devices.capacityMilli[index];
  if (capacity === undefined || capacity <= 0) return false;
  const { models } = request;
  if (models !== undefined && models.length > 0) {
    if (!models.includes(devices.models[index] as string)) return false;
  }
  return (devices.freeMilli[index] as number) >= shareOf(request, capacity);
}

/** How many devices will do for the request now. */
export function fitDevices(devices: DevicesOfKind | undefined, request: DeviceRequest): number {
  if (devices === undefined) return 0;
  let fit = 0;
  for (let index = 0; index < devices.capacityMilli.length; index += 1) {
    if (isDeviceFit(devices, index, request)) fit += 1;
  }
  return fit;
}

/**
 * Chooses devices for the requests: those with the least left that fit, the lowest index among
 * equals. For whole devices that is by index. Assumes that enough fit.
 */
export function chooseDevices(
  ledger: Pick<DeviceLedger, 'of'>,
  requests: readonly DeviceRequest[],
): readonly DeviceShare[] {
  return requests.flatMap((request): readonly DeviceShare[] => {
    const devices = ledger.of(request.kind);
    if (devices === undefined) return [];
    const fit = devices.capacityMilli.map((_, index) => index);
    return fit
      .filter((index) => isDeviceFit(devices, index, request))
      .sort((a, b) => (devices.freeMilli[a] ?? 0) - (devices.freeMilli[b] ?? 0) || a - b)
      .slice(0, request.count)
      .map((index) => ({
        kind: request.kind,
        index,
        milli: shareOf(request, devices.capacityMilli[index] ?? 0),
      }));
  });
}
