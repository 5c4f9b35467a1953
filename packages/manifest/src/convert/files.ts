/**
 * Secrets and configs of a stack, and their use by services.
 * **Source:** docker/cli `cli/compose/convert`, `cli/command/service/parse.go`.
 */
import { compareBy, compareText } from '@skep/api';
import type { ComposeFileObject, ComposeFileReference, ComposeService } from '../compose/model.js';
import { compact, defined, filledRecord } from '../docker-api/fields.js';
import type {
  DockerConfigReference,
  DockerFileBody,
  DockerFileTarget,
  DockerSecretReference,
} from '../docker-api/types.js';
import { encodeBase64 } from './base64.js';
import { placeInService, scopedName, stackLabels, type ConversionContext } from './context.js';

const DEFAULT_MODE = 0o444;

/** The body that creates a secret or config; undefined after a complaint. */
export function convertFileObject(
  what: 'secret' | 'config',
  key: string,
  object: ComposeFileObject,
  context: ConversionContext,
): DockerFileBody | undefined {
  const isDriven = what === 'secret' && object.driver !== '';
  const data = isDriven ? '' : readData(what, key, object, context);
  if (data === undefined) return undefined;
  return defined<DockerFileBody>({
    Name: object.name || scopedName(context, key),
    Labels: stackLabels(context, object.labels),
    Data: data === '' ? undefined : data,
    Driver: isDriven
      ? compact({ Name: object.driver, Options: filledRecord(object.driverOptions) })
      : undefined,
    Templating: object.templateDriver === '' ? undefined : { Name: object.templateDriver },
  });
}

function readData(
  what: 'secret' | 'config',
  key: string,
  object: ComposeFileObject,
  context: ConversionContext,
): string | undefined {
  if (object.content !== undefined) return encodeBase64(new TextEncoder().encode(object.content));
  if (object.file === '') {
    const message = `the ${what} ${key} has no content`;
    const hint = 'give its file, or write external: true';
    context.complaints.error('missing-file', object.place, message, hint);
    return undefined;
  }
  const bytes = context.readBytes(object.file);
  if (bytes !== undefined) return encodeBase64(bytes);
  const place = context.config.locate([`${what}s`, key, 'file']);
  const message = `the file ${object.file} cannot be read`;
  context.complaints.error('missing-file', place, message, 'create it, or correct the path');
  return undefined;
}

/** A reference to a secret or config before its id is known. */
interface Reference {
  readonly name: string;
  readonly file: DockerFileTarget | undefined;
  readonly source: ComposeFileReference | undefined;
}

const compareReferences = compareBy<Reference>(
  (a, b) => compareText(a.name, b.name),
  (a, b) => compareText(a.file?.Name ?? '', b.file?.Name ?? ''),
);

/** The secrets that a service uses, sorted by name, then by file. */
export function convertSecrets(
  service: ComposeService,
  context: ConversionContext,
): readonly DockerSecretReference[] {
  return resolve('secret', service.secrets, context)
    .sort(compareReferences)
    .map(({ name, file }) =>
      defined<DockerSecretReference>({
        File: file,
        SecretID: idOf('secret', name, service, context),
        SecretName: name,
      }),
    );
}

/** The configs that a service uses, sorted by name; a credential spec's has no file. */
export function convertConfigs(
  service: ComposeService,
  context: ConversionContext,
): readonly DockerConfigReference[] {
  const references = resolve('config', service.configs, context);
  const credential = service.credentialSpec.config;
  if (credential !== '') {
    const object = context.config.configs.get(credential);
    if (object) {
      const name = object.name || scopedName(context, credential);
      references.push({ name, file: undefined, source: undefined });
    } else {
      const place = placeInService(context, service.name, 'credential_spec', 'config');
      const hint = `add ${credential} to the top-level configs`;
      context.complaints.error('undefined-config', place, `undefined config '${credential}'`, hint);
    }
  }
  return references.sort(compareReferences).map(({ name, file }) =>
    defined<DockerConfigReference>({
      File: file,
      Runtime: file === undefined ? {} : undefined,
      ConfigID: idOf('config', name, service, context),
      ConfigName: name,
    }),
  );
}

function resolve(
  what: 'secret' | 'config',
  uses: readonly ComposeFileReference[],
  context: ConversionContext,
): Reference[] {
  const objects = what === 'secret' ? context.config.secrets : context.config.configs;
  const targets = new Set<string>();
  return uses.flatMap((use) => {
    const object = objects.get(use.source);
    if (object === undefined) {
      const code = what === 'secret' ? 'undefined-secret' : 'undefined-config';
      const hint = `add ${use.source} to the top-level ${what}s`;
      context.complaints.error(code, use.place, `undefined ${what} '${use.source}'`, hint);
      return [];
    }
    const target = use.target || use.source;
    if (targets.has(target)) {
      const message = `two ${what}s have the target '${target}'`;
      context.complaints.error('duplicate-target', use.place, message, 'give another target');
      return [];
    }
    targets.add(target);
    const file = {
      Name: target,
      UID: use.uid || '0',
      GID: use.gid || '0',
      Mode: use.mode ?? DEFAULT_MODE,
    };
    return [{ name: object.name || scopedName(context, use.source), file, source: use }];
  });
}

function idOf(
  what: 'secret' | 'config',
  name: string,
  service: ComposeService,
  context: ConversionContext,
): string {
  const id = what === 'secret' ? context.secretId(name) : context.configId(name);
  if (id !== undefined) return id;
  const code = what === 'secret' ? 'undefined-secret' : 'undefined-config';
  const place = placeInService(context, service.name, `${what}s`);
  context.complaints.error(code, place, `the ${what} ${name} does not exist`, 'create it first');
  return '';
}
