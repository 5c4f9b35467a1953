import { describe, expect, it } from '@jest/globals';
import type { AllocatedPort, PortSpec } from '@skep/api';
import fc from 'fast-check';
import { allocatePorts, arePortsAllocated, matchPorts } from './port-allocation.js';
import { portSpaces, type PortSpaces } from './port-space.js';
import { SerialSpace } from './serial-space.js';
import { VXLAN_ID_OPTION, VxlanIdSpace, wantedVxlanIds } from './vxlan-ids.js';

const DYNAMIC = { first: 30_000, last: 32_767 };

/** `name:target:published[/protocol][@host]`. */
function port(text: string): AllocatedPort {
  const [rest = '', mode] = text.split('@');
  const [numbers = '', protocol] = rest.split('/');
  const [name = '', target, published] = numbers.split(':');
  return {
    name,
    protocol: (protocol ?? 'tcp') as AllocatedPort['protocol'],
    targetPort: Number(target),
    publishedPort: Number(published),
    publishMode: mode === 'host' ? 'host' : 'ingress',
  };
}

function allocate(
  spaces: PortSpaces,
  owner: string,
  wanted: readonly string[],
  previous: readonly string[] = [],
): string[] | string {
  const result = allocatePorts(spaces, owner, wanted.map(port), previous.map(port));
  return result.ok
    ? result.ports.map(({ publishedPort }) => String(publishedPort))
    : result.failure.reason;
}

describe('serial numbers', () => {
  it('come in turn, wrap, and skip what is taken', () => {
    const space = new SerialSpace({ first: 5, last: 8 }, { max: 10 });
    expect([space.next(), space.next()]).toEqual([5, 6]);
    expect(space.release(5)).toBe(true);
    expect(space.take(7)).toBe(true);
    expect(space.take(7)).toBe(false);
    expect([space.next(), space.next(), space.next()]).toEqual([8, 5, undefined]);
    expect(space.release(6)).toBe(true);
    expect(space.next()).toBe(6);
    expect(space.take(10)).toBe(true);
    expect(space.has(10)).toBe(true);
    expect(space.taken).toBe(5);
  });

  it('start again where they were, given the last one', () => {
    const space = new SerialSpace({ first: 5, last: 8 }, { last: 6 });
    expect(space.next()).toBe(7);
    space.last = 100;
    expect(space.next()).toBe(5);
  });
});

describe('ports that a service has already (12.7)', () => {
  it.each([
    { about: 'nothing before', wanted: ['a:10:10'], before: [], result: ['a:10:10'] },
    {
      about: 'one more',
      wanted: ['a:10:10', 'b:11:11'],
      before: ['a:10:10'],
      result: ['a:10:10', 'b:11:11'],
    },
    {
      about: 'another name and target',
      wanted: ['a:10:10'],
      before: ['b:11:10'],
      result: ['a:10:10'],
    },
    {
      about: 'dynamic ones in another order',
      wanted: ['a:10:0', 'b:11:0'],
      before: ['b:11:30001', 'a:10:30000'],
      result: ['a:10:30000', 'b:11:30001'],
    },
    {
      about: 'sticky though their number changed',
      wanted: ['a:10:0', 'b:11:0'],
      before: ['b:11:30001'],
      result: ['a:10:0', 'b:11:30001'],
    },
    {
      about: 'sticky though one is gone',
      wanted: ['b:11:0'],
      before: ['a:10:30000', 'b:11:30001'],
      result: ['b:11:30001'],
    },
    {
      about: 'a fixed number is not given to a dynamic port of the same description',
      wanted: ['a:10:0', 'a:10:30000'],
      before: ['a:10:30000'],
      result: ['a:10:0', 'a:10:30000'],
    },
    {
      about: 'host mode is copied',
      wanted: ['a:10:0@host', 'b:11:8080@host'],
      before: ['a:10:30000', 'b:11:9090@host'],
      result: ['a:10:0@host', 'b:11:8080@host'],
    },
    {
      about: 'another protocol is another port',
      wanted: ['a:10:0/udp'],
      before: ['a:10:30000/tcp'],
      result: ['a:10:0/udp'],
    },
  ])('$about', ({ wanted, before, result }) => {
    expect(matchPorts(wanted.map(port), before.map(port))).toEqual(result.map(port));
  });

  it('fills in what a spec leaves out', () => {
    expect(matchPorts([{ targetPort: 80 }], [])).toEqual([port(':80:0')]);
  });

  it.each([
    { about: 'no ports at all', wanted: [], before: [], result: true },
    { about: 'not yet', wanted: ['a:10:10'], before: [], result: false },
    { about: 'no longer wanted', wanted: [], before: ['b:11:10'], result: false },
    { about: 'one missing', wanted: ['a:10:10', 'b:11:11'], before: ['b:11:10'], result: false },
    { about: 'another target', wanted: ['a:11:10'], before: ['a:10:10'], result: false },
    { about: 'another number', wanted: ['a:10:11'], before: ['a:10:10'], result: false },
    { about: 'dynamic, not chosen', wanted: ['a:10:0'], before: ['a:10:0'], result: false },
    { about: 'fixed, same', wanted: ['a:10:10'], before: ['a:10:10'], result: true },
    { about: 'dynamic, chosen', wanted: ['a:10:0'], before: ['a:10:30000'], result: true },
    {
      about: 'another order',
      wanted: ['a:10:0', 'b:11:11'],
      before: ['b:11:11', 'a:10:30000'],
      result: true,
    },
    {
      about: 'host, left to the node',
      wanted: ['a:9:0@host'],
      before: ['a:9:0@host'],
      result: true,
    },
    { about: 'host, number new', wanted: ['a:9:7@host'], before: ['a:9:0@host'], result: false },
    { about: 'mode changed', wanted: ['a:9:7@host'], before: ['a:9:7'], result: false },
  ])('is allocated: $about', ({ wanted, before, result }) => {
    expect(arePortsAllocated(wanted.map(port), before.map(port))).toBe(result);
  });
});

describe('ports of services (12.7)', () => {
  it('refuses a fixed port twice and names the other', () => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 's1', ['a:10000:10001'])).toEqual(['10001']);
    expect(allocatePorts(spaces, 's2', [port('b:10:10001')], [])).toEqual({
      ok: false,
      failure: { reason: 'taken', port: port('b:10:10001'), owner: 's1' },
    });
    expect(allocate(spaces, 's1', ['a:10000:10001'], ['a:10000:10001'])).toEqual(['10001']);
    expect(allocate(spaces, 's2', ['b:10:10001/udp'])).toEqual(['10001']);
  });

  it('gives dynamic ports in turn and skips a fixed one among them', () => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 's0', ['x:1:30000'])).toEqual(['30000']);
    expect(allocate(spaces, 's1', ['a:1:0', 'b:2:0'])).toEqual(['30001', '30002']);
    expect(allocate(spaces, 's1', [], ['a:1:30001', 'b:2:30002'])).toEqual([]);
    expect(allocate(spaces, 's2', ['a:1:0', 'b:2:0/udp'])).toEqual(['30003', '30000']);
    expect(spaces.tcp.last).toBe(30_003);
  });

  it('keeps dynamic ports when a port is added (Swarm renumbers them)', () => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 's1', ['a:1:0'])).toEqual(['30000']);
    expect(allocate(spaces, 's1', ['b:2:0', 'a:1:0'], ['a:1:30000'])).toEqual(['30001', '30000']);
    expect(spaces.tcp.taken).toBe(2);
  });

  it('lets a service swap a dynamic for the same fixed number', () => {
    const spaces = portSpaces(DYNAMIC);
    allocate(spaces, 's1', ['a:1:0', 'b:2:0']);
    expect(allocate(spaces, 's1', ['a:1:30001', 'b:2:0'], ['a:1:30000', 'b:2:30001'])).toEqual([
      '30001',
      '30002',
    ]);
    expect(spaces.tcp.taken).toBe(2);
  });

  it('does not keep a number for a dynamic port that is promised to another service', () => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 's1', ['a:1:8081'])).toEqual(['8081']);
    const isPromised = ({ publishedPort }: AllocatedPort): boolean => publishedPort === 8081;
    const result = allocatePorts(spaces, 's1', [port('a:1:0')], [port('a:1:8081')], isPromised);
    expect(result).toMatchObject({ ok: true, ports: [port('a:1:30000')] });
    expect(spaces.tcp.conflict(8081, 'ingress', 's2')).toBeUndefined();
  });

  it('leaves a service what it had when the new set conflicts', () => {
    const spaces = portSpaces(DYNAMIC);
    allocate(spaces, 's1', ['a:1:80']);
    allocate(spaces, 's2', ['a:1:81', 'b:2:0']);
    expect(allocate(spaces, 's2', ['a:1:80', 'c:3:0'], ['a:1:81', 'b:2:30000'])).toBe('taken');
    expect(spaces.tcp.conflict(81, 'ingress', 's3')).toBe('s2');
    expect(spaces.tcp.conflict(30_000, 'ingress', 's3')).toBe('s2');
    expect(spaces.tcp.taken).toBe(3);
  });

  it('tells host from ingress: hosts may share, ingress excludes', () => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 's1', ['a:1:80@host'])).toEqual(['80']);
    expect(allocate(spaces, 's2', ['a:1:80@host'])).toEqual(['80']);
    expect(allocate(spaces, 's3', ['a:1:80'])).toBe('taken');
    expect(allocate(spaces, 's4', ['a:1:30000@host'])).toEqual(['30000']);
    expect(allocate(spaces, 's3', ['a:1:0'])).toEqual(['30001']);
    expect(allocate(spaces, 's5', ['a:1:30001@host'])).toBe('taken');
    expect(allocate(spaces, 's5', ['a:1:0@host'])).toEqual(['0']);
  });

  it.each([
    [['a:1:80', 'b:2:80'], 'duplicate'],
    [['a:1:80', 'b:2:80@host'], 'duplicate'],
    [['a:1:70000'], 'invalid'],
    [['a:1:-5'], 'invalid'],
  ])('refuses %j: %s', (wanted, reason) => {
    expect(allocate(portSpaces(DYNAMIC), 's1', wanted)).toBe(reason);
  });

  it('says when no dynamic port is left, and takes none of the set', () => {
    const spaces = portSpaces({ first: 30_000, last: 30_001 });
    expect(allocate(spaces, 's1', ['a:1:90', 'b:2:0', 'c:3:0', 'd:4:0'])).toBe('exhausted');
    expect(spaces.tcp.taken).toBe(0);
  });

  it('never gives a number twice, and forgets nothing', () => {
    const wanted = fc.array(
      fc.record({
        target: fc.integer({ min: 1, max: 4 }),
        published: fc.constantFrom(0, 0, 7, 31),
      }),
      { maxLength: 3 },
    );
    const steps = fc.array(fc.tuple(fc.nat(3), wanted), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (sequence) => {
        const spaces = portSpaces({ first: 30, last: 35 });
        const has = new Map<number, readonly AllocatedPort[]>();
        for (const [owner, specs] of sequence) {
          const want: PortSpec[] = specs.map(({ target, published }) => ({
            targetPort: target,
            publishedPort: published,
          }));
          const result = allocatePorts(spaces, `s${owner}`, want, has.get(owner) ?? []);
          if (result.ok) has.set(owner, result.ports);
          const numbers = [...has.values()].flat().map((one) => one.publishedPort);
          expect(new Set(numbers).size).toBe(numbers.length);
          expect(spaces.tcp.taken).toBe(numbers.length);
        }
      }),
    );
  });
});

describe('ranges of ports', () => {
  /** As a range in a manifest becomes: a port each, all of one set. */
  const range = (first: number, protocol = ''): readonly string[] =>
    [0, 1, 2, 3, 4, 5].map(
      (at) =>
        `:${8000 + at}:${first === 0 ? 0 : first + at}${protocol === '' ? '' : `/${protocol}`}`,
    );
  const from = (first: number): readonly string[] =>
    [0, 1, 2, 3, 4, 5].map((at) => String(first + at));

  it.each(['tcp', 'udp', 'sctp'])('are had whole or not at all: %s', (protocol) => {
    const spaces = portSpaces(DYNAMIC);
    expect(allocate(spaces, 'a', range(9000, protocol))).toEqual(from(9000));
    expect(allocate(spaces, 'b', range(9005, protocol))).toBe('taken');
    // Nothing of the set that was refused is taken.
    expect(allocate(spaces, 'c', range(9006, protocol))).toEqual(from(9006));
  });

  it('are dynamic, too, and every protocol has its own numbers', () => {
    const spaces = portSpaces(DYNAMIC);
    for (const protocol of ['tcp', 'udp', 'sctp']) {
      expect(allocate(spaces, protocol, range(0, protocol))).toEqual(from(30_000));
    }
  });

  it('keep their numbers when the range grows, turns round and shrinks', () => {
    const spaces = portSpaces(DYNAMIC);
    const wanted = range(0);
    const had = (count: number): string[] =>
      wanted.slice(0, count).map((text, at) => text.replace(/0$/, String(30_000 + at)));
    expect(allocate(spaces, 'a', wanted.slice(0, 4))).toEqual(from(30_000).slice(0, 4));
    const grown = allocate(spaces, 'a', [...wanted].reverse(), had(4));
    // The two that came last are asked for first now.
    expect(grown).toEqual(['30004', '30005', '30003', '30002', '30001', '30000']);
    const six = [...had(4), ':8004:30005', ':8005:30004'];
    expect(allocate(spaces, 'a', wanted.slice(1, 3), six)).toEqual(['30001', '30002']);
    expect(spaces.tcp.taken).toBe(2);
  });
});

describe('VXLAN ids', () => {
  it('start at 4096 and come in turn', () => {
    const space = new VxlanIdSpace();
    expect([space.next('n1'), space.next('n2')]).toEqual([4096, 4097]);
    expect(space.release(4096, 'n1')).toBe(true);
    expect(space.release(4096, 'n1')).toBe(false);
    expect(space.next('n3')).toBe(4098);
    expect(space.taken).toBe(2);
    expect(new VxlanIdSpace(2 ** 24 - 1).next('n')).toBe(4096);
  });

  it('skip what a network has by its options', () => {
    const space = new VxlanIdSpace();
    space.claim(4096, 'n1');
    expect(space.conflict(4096, 'n2')).toBe('n1');
    expect(space.conflict(4096, 'n1')).toBeUndefined();
    expect(space.next('n2')).toBe(4097);
  });

  it.each([
    [undefined, []],
    ['', []],
    ['4200', [4200]],
    ['4200, 4201', [4200, 4201]],
    ['256', undefined],
    ['16777216', undefined],
    ['4200,4200', undefined],
    ['4200,x', undefined],
  ])('list %p means %j', (list, ids) => {
    const options = list === undefined ? undefined : { [VXLAN_ID_OPTION]: list };
    expect(wantedVxlanIds(options)).toEqual(ids);
  });
});
