/**
 * `skep convert`: stack files as the requests that the Docker client would send, or as manifests.
 */
import { canonicalJson } from '@skep/api';
import {
  API_VERSION,
  composeToDockerApi,
  isAcceptable,
  loadManifests,
  type Complaint,
} from '@skep/manifest';
import { reportComplaints } from '../views/complaints.js';
import { EXIT, readSources, type ExitCode, type Surroundings } from '../surroundings.js';
import { loadOptions, type FileOptions } from './file-options.js';
import { kindsOf, loadOwnKinds } from './own-kinds.js';

/** Options of `skep convert`. */
export interface ConvertOptions extends FileOptions {
  readonly to: 'docker-api' | 'manifest';
}

/** Prints the converted files as JSON. */
export async function convert(
  options: ConvertOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const files = readSources(options.file, surroundings);
  const common = loadOptions(options, surroundings);
  const kinds = kindsOf(await loadOwnKinds(options.kinds, surroundings));
  const { value, complaints } = options.to === 'docker-api' ? dockerRequests() : manifests();
  reportComplaints(complaints, surroundings.err);
  if (!isAcceptable(complaints)) return EXIT.badInput;
  surroundings.out(`${value}\n`);
  return EXIT.ok;

  function dockerRequests(): { value: string; complaints: readonly Complaint[] } {
    const { requests, complaints: found } = composeToDockerApi(files, {
      ...common,
      dialect: 'docker',
      // Objects that do not exist yet have no id: the name stands in for it.
      secretId: (name) => `sec_${name}`,
      configId: (name) => `cfg_${name}`,
    });
    return { value: JSON.stringify(requests, null, 1), complaints: found };
  }

  function manifests(): { value: string; complaints: readonly Complaint[] } {
    const { objects, complaints: found } = loadManifests(files, { ...common, kinds });
    const documents = objects.map(({ kind, name, labels, annotations, spec }) => ({
      apiVersion: API_VERSION,
      kind,
      metadata: {
        name,
        ...(Object.keys(labels).length === 0 ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec,
    }));
    // JSON is YAML: several documents in one stream, ready to be read again.
    const value = documents.map((document) => canonicalJson(document, 2)).join('\n---\n');
    return { value, complaints: found };
  }
}
