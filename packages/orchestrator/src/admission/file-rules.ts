/**
 * Secrets and configs.
 *
 * **Source:** SwarmKit manager/controlapi/{secret,config}.go.
 */
import {
  Service,
  byIndex,
  compareText,
  isDeleting,
  isEqual,
  type Config,
  type Secret,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { listOf } from './network-rules.js';

/** Sizes from which on content is refused, in bytes. */
export const FILE_SIZE_LIMITS = Object.freeze({ Secret: 500 * 1024, Config: 1000 * 1024 });

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Everything that a secret has to be. */
export function judgeSecret(to: Objections, secret: Secret, before: Secret | undefined): void {
  const { data, driver } = secret.spec;
  judgeContent(to, secret, before);
  if (driver === undefined) {
    to.require(Boolean(data), 'spec.data', {
      message: 'the secret is empty',
      hint: 'give at least one byte of content',
    });
    return;
  }
  to.require(driver.name !== '', 'spec.driver.name', {
    message: 'the driver has no name',
    hint: 'name the driver that provides the secret',
  });
  to.require(data === undefined, 'spec.data', {
    message: 'the content of this secret comes from a driver',
    hint: 'leave either the data or the driver out',
  });
}

/** Everything that a config has to be. */
export function judgeConfig(to: Objections, config: Config, before: Config | undefined): void {
  judgeContent(to, config, before);
}

function judgeContent(
  to: Objections,
  file: Secret | Config,
  before: Secret | Config | undefined,
): void {
  const { data = '' } = file.spec;
  const noun = file.kind.toLowerCase();
  const isText = data.length % 4 === 0 && BASE64.test(data);
  to.require(isText, 'spec.data', { message: 'the content is not base64', hint: 'encode it' });
  const limit = FILE_SIZE_LIMITS[file.kind as keyof typeof FILE_SIZE_LIMITS];
  const bytes = (data.length / 4) * 3 - (data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0);
  to.require(!isText || bytes < limit, 'spec.data', {
    message: `the ${noun} has ${bytes} bytes`,
    hint: `a ${noun} has fewer than ${limit}`,
  });
  to.require(before === undefined || isEqual(before.spec, file.spec), 'spec', {
    code: 'failed-precondition',
    message: `a ${noun} cannot be changed, but for its labels`,
    hint: `create a ${noun} with another name and let the services use that one`,
  });
}

/** A secret or config stays while a service uses it that is not being removed itself. */
export function judgeFileRemoval(to: Objections, file: Secret | Config, view: View): void {
  const index = file.kind.toLowerCase();
  const users = new Set<string>();
  for (const key of [file.meta.id, file.meta.name]) {
    for (const service of view.list(Service, byIndex(Service, index, key))) {
      if (!isDeleting(service)) users.add(service.meta.name);
    }
  }
  const names = [...users].sort(compareText);
  to.require(names.length === 0, '', {
    code: 'failed-precondition',
    message: `the ${index} is used by ${listOf(names)}`,
    hint: 'remove these services, or take it from them, first',
  });
}
