/**
 * Networks of a stack, and the attachments of services to them.
 * **Source:** docker/cli `cli/compose/convert`, Networks and convertServiceNetworks.
 */
import { compareText } from '@skep/api';
import type { ComposeNetwork, ComposeService } from '../compose/model.js';
import { compact, defined, filledRecord, recordOf } from '../docker-api/fields.js';
import type { DockerAttachment, DockerNetworkBody } from '../docker-api/types.js';
import { scopedName, stackLabels, type ConversionContext } from './context.js';

/** Key of the network that services without `networks` are attached to. */
export const DEFAULT_NETWORK = 'default';

const NO_LABELS: ReadonlyMap<string, string> = new Map();

/** Keys of all networks that some service is attached to, sorted. */
export function usedNetworks(services: readonly ComposeService[]): readonly string[] {
  const keys = services.flatMap((service) =>
    service.networks.size === 0 ? [DEFAULT_NETWORK] : [...service.networks.keys()],
  );
  return [...new Set(keys)].sort(compareText);
}

/** The full name of a network by its key. */
export function networkName(key: string, context: ConversionContext): string {
  return context.config.networks.get(key)?.name || scopedName(context, key);
}

/** The body that creates a network. */
export function convertNetwork(
  key: string,
  network: ComposeNetwork | undefined,
  context: ConversionContext,
): DockerNetworkBody {
  return defined<DockerNetworkBody>({
    Driver: network?.driver || 'overlay',
    Scope: '',
    EnableIPv6: network?.enablesIpv6,
    IPAM: network ? convertIpam(network) : null,
    Internal: network?.isInternal ?? false,
    Attachable: network?.isAttachable ?? false,
    Ingress: false,
    ConfigOnly: false,
    ConfigFrom: null,
    Options: network?.driverOptions ? recordOf(network.driverOptions) : null,
    Labels: stackLabels(context, network?.labels ?? NO_LABELS),
    Name: networkName(key, context),
  });
}

function convertIpam(network: ComposeNetwork): DockerNetworkBody['IPAM'] {
  const { ipam, ipamDriver, ipamOptions } = network;
  if (ipamDriver === '' && ipam.length === 0 && ipamOptions === undefined) return null;
  const pools = ipam.map((pool) =>
    compact({
      Subnet: pool.subnet,
      IPRange: pool.ipRange,
      Gateway: pool.gateway,
      AuxiliaryAddresses: filledRecord(pool.auxiliaryAddresses),
    }),
  );
  return {
    Driver: ipamDriver,
    Options: ipamOptions ? recordOf(ipamOptions) : null,
    Config: pools.length === 0 ? null : pools,
  };
}

/** An attachment with the addresses that the Docker API has no field for. */
export interface ConvertedAttachment {
  readonly attachment: DockerAttachment;
  readonly key: string;
  readonly addresses: readonly string[];
}

/** The attachments of a service, sorted by the networks' full names. */
export function convertAttachments(
  service: ComposeService,
  context: ConversionContext,
): readonly ConvertedAttachment[] {
  const keys = service.networks.size === 0 ? [DEFAULT_NETWORK] : [...service.networks.keys()];
  const attachments = keys.flatMap((key) => {
    const use = service.networks.get(key);
    if (!context.config.networks.has(key) && key !== DEFAULT_NETWORK) {
      const place = use?.place ?? service.place;
      const hint = `add ${key} to the top-level networks`;
      context.complaints.error('undefined-network', place, `undefined network '${key}'`, hint);
      return [];
    }
    const target = networkName(key, context);
    const aliases = [...(use?.aliases ?? []), ...(isUserDefined(target) ? [service.name] : [])];
    const addresses = [use?.ipv4Address, use?.ipv6Address].filter(
      (address): address is string => address !== undefined && address !== '',
    );
    if (use && addresses.length > 0) {
      context.complaints.warn(
        'ignored-option',
        use.place,
        'services get their addresses from the cluster; a static address has no effect',
        'reach the service by its name',
      );
    }
    const attachment = compact<DockerAttachment>({
      Target: target,
      Aliases: aliases,
      DriverOpts: filledRecord(use?.driverOptions),
    });
    return [{ attachment, key, addresses }];
  });
  return attachments.sort((a, b) =>
    compareText(a.attachment.Target ?? '', b.attachment.Target ?? ''),
  );
}

/** Whether a network is one that users make, and so knows aliases. */
function isUserDefined(name: string): boolean {
  return (
    !['', 'default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:')
  );
}
