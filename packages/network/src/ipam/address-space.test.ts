import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressSpace } from './address-space.js';

function draw(space: AddressSpace, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => space.next());
}

describe('addresses of a subnet', () => {
  it('gives the gateway first, then one after the other', () => {
    const space = new AddressSpace({ subnet: '10.0.9.0/24' });
    expect(space.gateway).toBe('10.0.9.1');
    expect(space.lastAddress).toBe('10.0.9.1');
    expect(draw(space, 3)).toEqual(['10.0.9.2', '10.0.9.3', '10.0.9.4']);
    expect(space.lastAddress).toBe('10.0.9.4');
    expect(space.taken).toBe(3);
    expect(space.available).toBe(250);
    expect(space.withPrefix('10.0.9.4')).toBe('10.0.9.4/24');
  });

  it.each([
    ['10.0.0.0/29', '10.0.0.1', ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']],
    ['10.0.0.0/30', '10.0.0.1', ['10.0.0.2']],
    ['10.0.0.0/31', '10.0.0.0', ['10.0.0.1']],
    ['10.0.0.7/32', '10.0.0.7', []],
    ['fd00::/126', 'fd00::1', ['fd00::2', 'fd00::3']],
    ['fd00::/127', 'fd00::', ['fd00::1']],
  ])('%s has gateway %s and then %j', (subnet, gateway, rest) => {
    const space = new AddressSpace({ subnet });
    expect(space.gateway).toBe(gateway);
    expect(draw(space, rest.length)).toEqual(rest);
    expect(space.next()).toBeUndefined();
    expect(space.available).toBe(0);
  });

  it('takes a given gateway and never gives it', () => {
    const space = new AddressSpace({ subnet: '10.0.0.0/29', gateway: '10.0.0.3' });
    expect(draw(space, 6)).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.4',
      '10.0.0.5',
      '10.0.0.6',
      undefined,
    ]);
  });

  it('draws from the range, but lets the whole subnet be asked for', () => {
    const space = new AddressSpace({ subnet: '172.28.0.0/16', ipRange: '172.28.5.0/30' });
    expect(space.gateway).toBe('172.28.5.0');
    expect(space.take('172.28.200.1')).toBe('taken');
    expect(space.available).toBe(3);
    expect(draw(space, 4)).toEqual(['172.28.5.1', '172.28.5.2', '172.28.5.3', undefined]);
  });

  it('leaves auxiliary addresses alone', () => {
    const space = new AddressSpace({ subnet: '10.0.0.0/29', reserved: ['10.0.0.2', '10.0.0.1'] });
    expect(space.gateway).toBe('10.0.0.3');
    expect(space.next()).toBe('10.0.0.4');
    expect(space.take('10.0.0.2')).toBe('reserved');
    expect(space.release('10.0.0.2')).toBe(false);
  });

  it.each([
    ['10.0.0.77', 'taken'],
    ['10.0.0.77/24', 'taken'],
    ['10.0.0.2', 'in-use'],
    ['10.0.0.0', 'reserved'],
    ['10.0.0.1', 'reserved'],
    ['10.0.0.255', 'reserved'],
    ['10.0.1.1', 'outside'],
    ['fd00::1', 'outside'],
    ['nonsense', 'outside'],
  ])('asked for %s: %s', (address, result) => {
    const space = new AddressSpace({ subnet: '10.0.0.0/24' });
    space.next();
    expect(space.take(address)).toBe(result);
  });

  it('does not give a freed address again at once (next fit), but after a full turn', () => {
    const space = new AddressSpace({ subnet: '10.0.0.0/29' });
    draw(space, 2);
    expect(space.release('10.0.0.2/29')).toBe(true);
    expect(space.release('10.0.0.2')).toBe(false);
    expect(draw(space, 4)).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.2']);
    expect(space.next()).toBeUndefined();
    expect(space.lastAddress).toBe('10.0.0.2');
  });

  it('knows what is taken', () => {
    const space = new AddressSpace({ subnet: '10.0.0.0/24' });
    space.take('10.0.0.9');
    expect(space.has('10.0.0.9')).toBe(true);
    expect(space.has('10.0.0.10')).toBe(false);
    expect(space.has('10.0.0.1')).toBe(true);
    expect(space.has('10.9.0.9')).toBe(false);
    expect(space.holds('10.0.0.10/24')).toBe(true);
    expect(space.holds('10.0.1.10')).toBe(false);
  });

  it.each([
    [{ subnet: '10.0.0.0' }, 'subnet'],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.1.1' }, 'gateway'],
    [{ subnet: '10.0.0.0/24', ipRange: '10.0.1.0/25' }, 'ip-range'],
    [{ subnet: '10.0.0.0/24', ipRange: '10.0.0.0/23' }, 'ip-range'],
    [{ subnet: '10.0.0.0/24', reserved: ['10.1.1.1'] }, 'reserved'],
    [{ subnet: '10.0.0.0/30', reserved: ['10.0.0.1', '10.0.0.2'] }, 'ip-range'],
  ])('%j is refused because of its %s', (options, reason) => {
    expect(() => new AddressSpace(options)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', details: { reason } }),
    );
  });

  it('serves IPv6 subnets of any size', () => {
    const space = new AddressSpace({ subnet: 'fd00:0:0:1::/64' });
    expect(space.gateway).toBe('fd00:0:0:1::1');
    expect(space.next()).toBe('fd00:0:0:1::2');
    const far = 'fd00:0:0:1:ffff:ffff:ffff:ffff';
    expect(space.take(far)).toBe('taken');
    expect(space.take(far)).toBe('in-use');
    expect(space.has(`${far}/64`)).toBe(true);
    expect(space.taken).toBe(2);
    expect(space.release(far)).toBe(true);
    expect(space.release(far)).toBe(false);
    expect(space.take('fd00:0:0:1::2')).toBe('in-use');
    expect(space.next()).toBe('fd00:0:0:1::3');
  });
});

describe('laws of an address space', () => {
  const step = fc.oneof(
    fc.constant({ type: 'next' as const }),
    fc.record({ type: fc.constantFrom('take' as const, 'release' as const), at: fc.nat(63) }),
  );

  it('never gives an address twice, and a rebuilt space gives the same one next', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const subnet = '10.0.0.0/26';
        let space = new AddressSpace({ subnet });
        const used = new Set<string>();
        for (const { type, ...rest } of steps) {
          const address = `10.0.0.${'at' in rest ? rest.at : 0}`;
          if (type === 'take') {
            const isFree = !used.has(address) && space.take(address) === 'taken';
            if (isFree) used.add(address);
          } else if (type === 'release') {
            expect(space.release(address)).toBe(used.delete(address));
          } else {
            const rebuilt = new AddressSpace({
              subnet,
              gateway: space.gateway,
              lastAddress: space.lastAddress,
            });
            for (const taken of used) rebuilt.take(taken);
            const given = space.next();
            expect(rebuilt.next()).toBe(given);
            expect(rebuilt.available).toBe(space.available);
            if (given === undefined) expect(used.size).toBe(61);
            else expect(used.has(given) ? [given] : []).toEqual([]);
            if (given !== undefined) used.add(given);
            space = rebuilt;
          }
          expect(space.taken).toBe(used.size);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('uses every address before it says that none is left', () => {
    const space = new AddressSpace({ subnet: '10.0.0.0/22', lastAddress: '10.0.2.200' });
    const given = new Set(draw(space, 1021));
    expect(given.size).toBe(1021);
    expect(given.has(undefined)).toBe(false);
    expect(space.next()).toBeUndefined();
  });
});
