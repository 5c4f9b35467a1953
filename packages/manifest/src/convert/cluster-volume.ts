/**
 * Cluster volumes (CSI) of a compose file. The Docker client reads and drops them.
 * **Source:** Docker Engine API, ClusterVolumeSpec; docker/cli `compose/types`.
 */
import type { ComposeClusterVolume, ComposeVolume, TextMap } from '../compose/model.js';
import { compact, filledRecord, recordOf } from '../docker-api/fields.js';
import type { DockerTopology, DockerVolumeBody } from '../docker-api/types.js';
import { scopedName, stackLabels, type ConversionContext } from './context.js';

/** The body that creates a cluster volume. */
export function convertClusterVolume(
  key: string,
  volume: ComposeVolume,
  cluster: ComposeClusterVolume,
  context: ConversionContext,
): DockerVolumeBody {
  const labels = stackLabels(context, volume.labels);
  return compact<DockerVolumeBody>({
    Name: volume.name || scopedName(context, key),
    Driver: volume.driver,
    DriverOpts: filledRecord(volume.driverOptions),
    Labels: Object.keys(labels).length === 0 ? undefined : labels,
    ClusterVolumeSpec: compact<NonNullable<DockerVolumeBody['ClusterVolumeSpec']>>({
      Group: cluster.group,
      AccessMode: compact({
        Scope: cluster.scope,
        Sharing: cluster.sharing,
        MountVolume: cluster.isBlock
          ? undefined
          : compact({ FsType: cluster.fsType, MountFlags: cluster.mountFlags }),
        BlockVolume: cluster.isBlock ? {} : undefined,
      }),
      AccessibilityRequirements:
        cluster.requisite.length + cluster.preferred.length === 0
          ? undefined
          : compact({
              Requisite: cluster.requisite.map(topology),
              Preferred: cluster.preferred.map(topology),
            }),
      CapacityRange:
        cluster.requiredBytes + cluster.limitBytes === 0
          ? undefined
          : compact({ RequiredBytes: cluster.requiredBytes, LimitBytes: cluster.limitBytes }),
      Secrets: cluster.secrets.map(({ key: name, secret }) => ({
        Key: name,
        Secret: context.config.secrets.get(secret)?.name || scopedName(context, secret),
      })),
      Availability: cluster.availability,
    }),
  });
}

function topology(segments: TextMap): DockerTopology {
  return { Segments: recordOf(segments) };
}
