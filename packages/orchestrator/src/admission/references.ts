/**
 * Finding the secrets and configs that a service names.
 *
 * **Source:** docker/cli cli/command/service/parse.go (ParseSecrets, ParseConfigs).
 */
import {
  Config,
  Secret,
  type Kind,
  type ObjectId,
  type ServiceSpec,
  type StoredObject,
} from '@skep/api';
import type { View } from '@skep/store';

/** Where names are looked up: what the transaction makes, then what is there. */
export interface ReferenceScope {
  readonly view: View;
  readonly made: readonly StoredObject[];
}

/**
 * The spec with the ids of the secrets and configs that it names. An id that is there stays; a name
 * that means nothing stays unresolved, and admission complains.
 */
export function resolveFiles(spec: ServiceSpec, scope: ReferenceScope): ServiceSpec {
  const { container } = spec.task;
  if (container?.secrets === undefined && container?.configs === undefined) return spec;
  const secrets = container.secrets?.map((use) => {
    return use.secretId ? use : { ...use, secretId: idOf(scope, Secret, use.secretName) };
  });
  const configs = container.configs?.map((use) => {
    return use.configId ? use : { ...use, configId: idOf(scope, Config, use.configName) };
  });
  const files = { ...(secrets ? { secrets } : {}), ...(configs ? { configs } : {}) };
  return { ...spec, task: { ...spec.task, container: { ...container, ...files } } };
}

function idOf<Spec, Status>(
  { view, made }: ReferenceScope,
  kind: Kind<Spec, Status>,
  name: string,
): ObjectId {
  const wanted = name.toLowerCase();
  const own = made.find(
    (object) => object.kind === kind.name && object.meta.name.toLowerCase() === wanted,
  );
  return (own ?? view.getByName(kind, name))?.meta.id ?? '';
}
