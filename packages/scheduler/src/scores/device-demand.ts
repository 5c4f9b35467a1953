/**
 * What a group asks for of one kind of device, in numbers.
 */
import { DEVICE_CAPACITY_MILLI, type DeviceRequest } from '@skep/api';
import type { DevicesOfKind } from '../device-ledger.js';
import { isDeviceFit } from '../device-ledger.js';
import type { Requirements } from '../requirements.js';

/** Sizes that scores measure nodes against, and the kind of device that they look at. */
export interface DeviceScoreOptions {
  /** Default: `gpu`. */
  readonly kind?: string;
  /** The largest node's cpu, in billionths of a core. Default: 128 cores. */
  readonly cpuNanosMax?: number;
  /** The largest node's devices, in thousandths. Default: 8 devices. */
  readonly deviceMilliMax?: number;
}

/** The options with their defaults: the largest nodes of the OpenB cluster. */
export function deviceScoreOptions(options: DeviceScoreOptions): Required<DeviceScoreOptions> {
  return {
    kind: options.kind ?? 'gpu',
    cpuNanosMax: options.cpuNanosMax ?? 128e9,
    deviceMilliMax: options.deviceMilliMax ?? 8_000,
  };
}

/** A request for devices of one kind, or for none. */
export interface DeviceDemand {
  readonly request: DeviceRequest | undefined;
  readonly count: number;
  /** Thousandths of each device. */
  readonly milli: number;
  readonly totalMilli: number;
  /** Whether it takes a part of one device, and leaves the rest to others. */
  readonly isShare: boolean;
  /** Part of a cache key: what the demand is. */
  readonly key: string;
}

/** What the requirements say about devices of the kind. */
export function deviceDemand({ devices }: Requirements, kind: string): DeviceDemand {
  const request = devices.find((one) => one.kind === kind);
  if (request === undefined) return NO_DEMAND;
  const { count, milli = DEVICE_CAPACITY_MILLI } = request;
  const isShare = count === 1 && milli < DEVICE_CAPACITY_MILLI;
  const key = JSON.stringify(request);
  return { request, count, milli, totalMilli: count * milli, isShare, key };
}

const NO_DEMAND: DeviceDemand = Object.freeze({
  request: undefined,
  count: 0,
  milli: 0,
  totalMilli: 0,
  isShare: false,
  key: '',
});

/** Indexes of the devices that the request takes if it takes those with the least left. */
export function tightestDevices(devices: DevicesOfKind, request: DeviceRequest): readonly number[] {
  const { freeMilli, capacityMilli } = devices;
  const fit: number[] = [];
  for (let index = 0; index < capacityMilli.length; index += 1) {
    if (isDeviceFit(devices, index, request)) fit.push(index);
  }
  return fit
    .sort((a, b) => (freeMilli[a] ?? 0) - (freeMilli[b] ?? 0) || a - b)
    .slice(0, request.count);
}
