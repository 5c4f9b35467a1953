import { describe, expect, it } from '@jest/globals';
import {
  deviceRequestFaults,
  type DeviceRequest,
  type DeviceShare,
  type NodeDevice,
} from '@skep/api';
import { chooseDevices, DeviceLedger, fitDevices } from './device-ledger.js';

function ledger(devices: readonly NodeDevice[], held: readonly DeviceShare[] = []): DeviceLedger {
  const made = new DeviceLedger();
  made.declare(devices, [held]);
  return made;
}

const gpus = (count: number, model?: string): NodeDevice[] =>
  Array.from({ length: count }, () => ({ kind: 'gpu', ...(model === undefined ? {} : { model }) }));
const share = (index: number, milli: number): DeviceShare => ({ kind: 'gpu', index, milli });

describe('devices of a node', () => {
  it('counts what is free of each, the whole ones, and how many hold how much', () => {
    const devices = ledger(gpus(3), [share(1, 460)]);
    devices.take([share(0, 1000), share(2, 1000)]);
    expect(devices.of('gpu')).toMatchObject({
      freeMilli: [0, 540, 0],
      totalFreeMilli: 540,
      wholeFree: 0,
      holders: new Map([
        [0, 1],
        [2, 1],
      ]),
    });
    devices.giveBack([share(0, 1000), share(2, 1000)]);
    devices.giveBack([share(1, 460)]);
    expect(devices.of('gpu')).toMatchObject({ wholeFree: 3, holders: new Map() });
  });

  it('remembers what tasks hold of devices that are not declared', () => {
    const devices = ledger(gpus(1), [share(2, 300)]);
    expect(devices.of('gpu')).toMatchObject({ freeMilli: [1000, 0, -300], totalFreeMilli: 1000 });
    devices.giveBack([share(2, 300)]);
    expect(devices.of('gpu')?.freeMilli).toEqual([1000, 0, 0]);
  });

  const cases: readonly [string, NodeDevice[], DeviceShare[], DeviceRequest, number[] | null][] = [
    ['the least free that fits', gpus(3), [share(1, 300), share(2, 600)], ask(1, 400), [2]],
    ['the lowest of equals', gpus(3), [share(1, 300), share(2, 300)], ask(1, 400), [1]],
    ['a device in use before a free one', gpus(3), [share(2, 100)], ask(1, 100), [2]],
    ['whole devices by index', gpus(4), [share(1, 10)], ask(2), [0, 2]],
    ['shares of several devices', gpus(3), [share(0, 600)], ask(2, 500), [1, 2]],
    ['none where too few fit', gpus(2), [share(0, 600), share(1, 600)], ask(1, 500), null],
    ['none where a whole one is not whole', gpus(1), [share(0, 1)], ask(1), null],
    ['the model', [...gpus(1, 'T4'), ...gpus(1, 'A10')], [], ask(1, 5, ['A10', 'V100']), [1]],
    ['none of another model', gpus(2, 'T4'), [], ask(1, 5, ['A10']), null],
    ['more than 1000 of a larger device', [{ kind: 'gpu', capacityMilli: 2000 }], [], ask(1), [0]],
  ];

  it.each(cases)('chooses %s', (_name, declared, held, request, expected) => {
    const devices = ledger(declared, held);
    const count = fitDevices(devices.of('gpu'), request);
    expect(count >= request.count).toBe(expected !== null);
    if (expected === null) return;
    const chosen = chooseDevices(devices, [request]);
    expect(chosen.map(({ index }) => index)).toEqual(expected);
    for (const { index, milli } of chosen) {
      expect(milli).toBe(request.milli ?? devices.of('gpu')?.capacityMilli[index]);
    }
  });

  it('has nothing of a kind that nobody knows', () => {
    expect(ledger([]).of('gpu')).toBeUndefined();
    expect(fitDevices(undefined, ask(1))).toBe(0);
    expect(chooseDevices(ledger([]), [ask(1)])).toEqual([]);
  });
});

describe('faults of device requests', () => {
  it.each([
    [[ask(1)], []],
    [[{ kind: '', count: 1 }], ['devices[0].kind: must not be empty']],
    [[ask(1), ask(2)], ["devices[1].kind: 'gpu' is asked for twice"]],
    [[ask(0)], ['devices[0].count: must be a whole number from 1 to 1024, not 0']],
    [[ask(1.5)], ['devices[0].count: must be a whole number from 1 to 1024, not 1.5']],
    [[ask(1, 0)], ['devices[0].milli: must be a whole number above 0, not 0']],
  ])('%j → %j', (requests, faults) => {
    expect(deviceRequestFaults(requests)).toEqual(faults);
  });
});

function ask(count: number, milli?: number, models?: readonly string[]): DeviceRequest {
  return {
    kind: 'gpu',
    count,
    ...(milli === undefined ? {} : { milli }),
    ...(models === undefined ? {} : { models }),
  };
}
