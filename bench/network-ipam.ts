/**
 * The allocation of addresses, pure: a /8 with ten million addresses in use, and one that is nearly
 * full.
 */
import { AddressSpace, SubnetPool, formatPrefix, poolsOf } from '@skep/network';
import { medianOf, millisecondsOf, type Bench, type BenchResult } from './support/measure.js';

const USED = 10_000_000;
const GIVEN = 100_000;
const SUBNET = '10.0.0.0/8';
/** Addresses of a /8 without network, broadcast and gateway. */
const ROOM = 2 ** 24 - 3;

/** A space with the first `used` addresses taken. */
function spaceWith(used: number): AddressSpace {
  const space = new AddressSpace({ subnet: SUBNET });
  for (let i = 0; i < used; i += 1) space.next();
  return space;
}

function draw(space: AddressSpace, count: number): string[] {
  const given: string[] = [];
  for (let i = 0; i < count; i += 1) given.push(space.next() ?? '');
  return given;
}

/** Time to give and to take back addresses, in ms for {@link GIVEN} of them. */
async function givenAndReleased(space: AddressSpace): Promise<{ give: number; release: number }> {
  const start = space.lastAddress;
  let release = 0;
  const give = await medianOf(async () => {
    let given: string[] = [];
    const time = await millisecondsOf(() => {
      given = draw(space, GIVEN);
    });
    release = await millisecondsOf(() => {
      for (const address of given) space.release(address);
    });
    space.lastAddress = start;
    return time;
  });
  return { give, release };
}

/** One free address in every 1,000: the search has to pass full blocks. */
function holes(space: AddressSpace): void {
  for (let i = 1; i * 1000 < ROOM; i += 1) {
    const ordinal = i * 1000;
    space.release(`10.${ordinal >>> 16}.${(ordinal >>> 8) & 255}.${ordinal & 255}`);
  }
}

function result(name: string, metric: string, value: number, unit: string): BenchResult {
  return { case: name, metric, value, unit };
}

async function* run(): AsyncGenerator<BenchResult> {
  const before = process.memoryUsage();
  let space = spaceWith(0);
  yield result(
    '10M of a /8',
    'fill',
    await millisecondsOf(() => {
      space = spaceWith(USED);
    }),
    'ms',
  );
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  yield result('10M of a /8', 'memory', Math.max(grown, 0) / 2 ** 20, 'MiB');
  const half = await givenAndReleased(space);
  yield result('10M of a /8', 'give 100k', half.give, 'ms');
  yield result('10M of a /8', 'release 100k', half.release, 'ms');

  space = spaceWith(ROOM);
  holes(space);
  const holed = Math.floor((ROOM - 1) / 1000);
  const scattered = await medianOf(async () => {
    let given: string[] = [];
    const time = await millisecondsOf(() => {
      given = draw(space, holed);
    });
    for (const address of given) space.release(address);
    return (time * 1e6) / holed;
  });
  yield result('/8 with 0.1 % free', 'give', scattered, 'ns');

  const rebuilt = await medianOf(
    () =>
      millisecondsOf(() => {
        const fresh = new AddressSpace({ subnet: SUBNET });
        for (let i = 2; i < 1_000_002; i += 1) {
          fresh.take(`10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`);
        }
      }),
    { warmUps: 1, runs: 3 },
  );
  yield result('rebuild', '1M addresses', rebuilt, 'ms');

  const cut = await medianOf(
    () =>
      millisecondsOf(() => {
        const pool = new SubnetPool(poolsOf([SUBNET], 24));
        for (let i = 0; i < 10_000; i += 1) pool.add(pool.choose());
        if (formatPrefix(pool.choose()) !== '10.39.16.0/24') throw new Error('wrong subnet');
      }),
    { warmUps: 1, runs: 3 },
  );
  yield result('subnets', 'cut 10k', cut, 'ms');
}

/** `npm run bench -- network-ipam`. */
export const bench: Bench = {
  name: 'network-ipam',
  about: 'addresses of a /8 with ten million in use: give, release, rebuild',
  run,
};
