/**
 * What this machine can run a cluster with, from what `probeHost` found.
 */
import { SkepError } from '@skep/api';
import type { HostReport, HostUse, RendererName } from '@skep/adapter-hosts';
import type { HostsKind, RuntimeKind } from './settings.js';

/** What somebody wants of the machine; the dataplane only if they care. */
export interface MachineNeeds {
  readonly hosts: HostsKind;
  readonly runtime: RuntimeKind;
  readonly dataplane?: RendererName;
}

/**
 * The dataplane to use: the one that is asked for, or else nftables, or else ipvs.
 * @throws failed-precondition with all that is missing, and the command that installs it.
 */
export function requireMachine(report: HostReport, needs: MachineNeeds): RendererName {
  const use = (name: HostUse['name']): HostUse | undefined =>
    report.uses.find((one) => one.name === name);
  const choices: readonly RendererName[] =
    needs.dataplane !== undefined
      ? [needs.dataplane]
      : needs.hosts === 'local'
        ? ['nftables']
        : ['nftables', 'ipvs'];
  const dataplane = choices.find((name) => use(name)?.isUsable === true);
  const lacking = [
    ...(use(needs.runtime)?.isUsable === true ? [] : [use(needs.runtime)]),
    ...(dataplane === undefined ? choices.map(use) : []),
  ];
  if (dataplane !== undefined && lacking.length === 0) return dataplane;
  const said = lacking.flatMap((one) => (one === undefined ? [] : [missingOf(one)]));
  const text = `this machine cannot run the cluster: ${said.join('; ')} (skep doctor tells more)`;
  throw new SkepError('failed-precondition', text, {
    details: {
      missing: said,
      ...(report.install === undefined ? {} : { install: report.install }),
    },
  });
}

function missingOf({ name, needs }: HostUse): string {
  const missing = needs
    .filter(({ isThere, isOptional }) => !isThere && isOptional !== true)
    .map((need) => (need.advice === undefined ? need.name : `${need.name}: ${need.advice}`));
  return `${name} needs ${missing.join(', ')}`;
}
