/**
 * Which kinds people may write down, and how their form is checked.
 */
import { EndpointSlice, Event, Lease, Task, type AnyKind } from '@skep/api';
import { MANIFEST_KINDS } from '@skep/manifest';

/** Kinds that only the cluster itself writes. */
const OWN_KINDS: ReadonlySet<string> = new Set(
  [Task, EndpointSlice, Lease, Event].map(({ name }) => name),
);

/**
 * The kinds that manifests may hold, of those that a cluster knows: built-in ones with the schemas
 * of the manifest package unless they bring one, custom ones as they are.
 */
export function declarableKinds(kinds: readonly AnyKind[]): readonly AnyKind[] {
  return kinds
    .filter(({ name }) => !OWN_KINDS.has(name))
    .map((kind) => {
      if (kind.schema !== undefined) return kind;
      return MANIFEST_KINDS.find(({ name }) => name === kind.name) ?? kind;
    });
}
