/**
 * Fields of the task in texts of its template: `web-{{.Task.Slot}}`.
 *
 * **Source:** SwarmKit template/context.go and template/expand.go: hostname, environment and mounts
 * are expanded, with these fields; functions of Go templates but `index` are not known here.
 */
import { SkepError, type AssignedNode, type AssignedTask } from '@skep/api';

const PLACEHOLDER = /\{\{\s*(.*?)\s*\}\}/g;
const LABEL = /^(?:index \.Service\.Labels "([^"]+)"|\.Service\.Labels\.([\w-]+))$/;

/**
 * The text with its placeholders filled in.
 * @throws invalid-argument for a field that does not exist
 */
export function expandFields(
  text: string,
  task: Pick<AssignedTask, 'id' | 'name' | 'slot' | 'serviceId' | 'serviceName' | 'serviceLabels'>,
  node: AssignedNode | undefined,
): string {
  if (!text.includes('{{')) return text;
  const fields: Readonly<Record<string, string>> = {
    '.Service.ID': task.serviceId ?? '',
    '.Service.Name': task.serviceName,
    '.Node.ID': node?.id ?? '',
    '.Node.Hostname': node?.name ?? '',
    '.Task.ID': task.id,
    '.Task.Name': task.name,
    '.Task.Slot': String(task.slot),
  };
  return text.replace(PLACEHOLDER, (whole, expression: string) => {
    const value = fields[expression] ?? labelIn(expression, task.serviceLabels);
    if (value !== undefined) return value;
    throw new SkepError(
      'invalid-argument',
      `${whole} names no field; there are ${Object.keys(fields).join(', ')}, .Service.Labels.NAME`,
      { details: { expression, text } },
    );
  });
}

function labelIn(expression: string, labels: Readonly<Record<string, string>>): string | undefined {
  const match = LABEL.exec(expression);
  if (match === null) return undefined;
  return labels[match[1] ?? match[2] ?? ''] ?? '';
}
