import { describe, expect, it } from '@jest/globals';
import { HOST_NAMESPACE, TOOLS, type NamespaceTexts, type RenderedNamespace } from '@skep/network';
import type { NamespaceCommand } from '../namespace/command-runner.js';
import { NodeReader } from './node-reader.js';
import { rendererOf, type RendererName } from './node-texts.js';

const LISTED = '{"nftables": [{"table": {"family": "inet", "name": "skep"}}]}\n';

function host(texts: Partial<NamespaceTexts>): RenderedNamespace {
  const empty = Object.fromEntries(TOOLS.map((tool) => [tool, ''])) as NamespaceTexts;
  return { namespace: HOST_NAMESPACE, texts: { ...empty, ...texts } };
}

/** A reader over a kernel that says always the same; its fingerprint is what is in `print`. */
function setUp(name: RendererName = 'nftables') {
  const asked: string[][] = [];
  const kernel = { print: 'one' as string | undefined, status: 0 };
  const reader = new NodeReader({
    namespace: undefined,
    namespacePrefix: 'no-such-node.',
    renderer: rendererOf(name),
    fingerprints: (requests) => Promise.resolve(requests.map(() => kernel.print)),
    run: (commands: readonly NamespaceCommand[]) => {
      asked.push(commands.map(({ command: [program = ''] }) => program));
      return Promise.resolve(
        commands.map(({ command: [program] }) => {
          const output = program === 'nft' ? LISTED : '';
          return { status: kernel.status, output, errors: 'no' };
        }),
      );
    },
  });
  return { asked, kernel, reader };
}

const TEXTS = { nft: 'table inet skep {\n}\n', sysctl: 'net.ipv4.ip_forward = 1\n' };
const READ = ['ip', 'sysctl', 'nft'];

describe('reading a node', () => {
  it('reads a namespace again only when its fingerprint has changed', async () => {
    const { asked, kernel, reader } = setUp();
    const first = await reader.look([host(TEXTS)], undefined);
    const again = await reader.look([host(TEXTS)], undefined);
    expect(again.listings.get('host nft')).toEqual(new Map([['table inet skep', '']]));
    expect([first.isSame, again]).toEqual([false, { ...first, isSame: true }]);
    expect(asked).toEqual([READ, []]);
    kernel.print = 'two';
    expect((await reader.look([host(TEXTS)], undefined)).isSame).toBe(false);
    expect(asked).toEqual([READ, [], READ]);
  });

  it('reads it when more is asked of it', async () => {
    const { asked, reader } = setUp();
    await reader.look([host(TEXTS)], undefined);
    const more = { ...TEXTS, sysctl: `${TEXTS.sysctl}net.ipv4.conf.all.rp_filter = 0\n` };
    await reader.look([host(more)], undefined);
    expect(asked).toEqual([READ, READ]);
  });

  it.each([
    ['without a fingerprint', 'nftables', TEXTS, READ],
    ['where rules are not in it', 'ipvs', { iptables: '*nat\nCOMMIT\n' }, ['ip', 'iptables-save']],
  ] as const)('reads it each time %s', async (_, name, texts, programs) => {
    const { asked, kernel, reader } = setUp(name);
    if (name === 'nftables') kernel.print = undefined;
    for (let time = 0; time < 2; time += 1) {
      expect((await reader.look([host(texts)], undefined)).isSame).toBe(false);
    }
    expect(asked).toEqual([programs, programs]);
  });

  it('keeps equal rules once', async () => {
    const { reader } = setUp();
    await reader.look([host(TEXTS)], undefined);
    const own = new Map([['table inet skep', '']]);
    reader.share('host', 'nft', own);
    const { listings } = await reader.look([host(TEXTS)], undefined);
    expect(listings.get('host nft')).toBe(own);
  });

  it('fails when the node itself cannot be looked at, and forgets nothing wrong', async () => {
    const { kernel, reader } = setUp();
    kernel.status = 1;
    await expect(reader.look([host(TEXTS)], undefined)).rejects.toMatchObject({
      code: 'unavailable',
    });
    kernel.status = 0;
    expect((await reader.look([host(TEXTS)], undefined)).snapshots.has('host')).toBe(true);
  });
});
