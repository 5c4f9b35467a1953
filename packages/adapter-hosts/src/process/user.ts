/**
 * Users and groups of the host.
 *
 * **Source:** passwd(5), group(5); moby's rules for `USER`: `name`, `uid`, `name:group`, `uid:gid`.
 */
import { SkepError } from '@skep/api';

/** Whom a process runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, sorted. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** The texts of /etc/passwd and /etc/group. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Whom a task runs as. Default: root.
 * @throws not-found for a name that the host does not know
 */
export function resolveUser(
  user: string | undefined,
  groups: readonly string[],
  files: UserFiles,
): ProcessUser {
  const [userPart = '', groupPart] = (user === undefined || user === '' ? '0' : user).split(':');
  const passwd = records(files.passwd);
  const found = passwd.find(([name, , uid]) => name === userPart || uid === userPart);
  const uid = found === undefined ? Number(userPart) : Number(found[2]);
  if (userPart === '' || !Number.isInteger(uid) || uid < 0) {
    throw new SkepError('not-found', `user '${userPart}' is not known on this host`);
  }
  const groupIds = records(files.group);
  const gid = groupPart === undefined ? Number(found?.[3] ?? 0) : groupId(groupPart, groupIds);
  const isMember = (members = ''): boolean =>
    found !== undefined && members.split(',').includes(found[0] ?? '');
  const own = groupIds.filter(([, , , members]) => isMember(members)).map(([, , id]) => Number(id));
  const all = new Set([...own, ...groups.map((group) => groupId(group, groupIds))]);
  return { uid, gid, groups: [...all].sort((a, b) => a - b), home: found?.[5] ?? '/' };
}

function groupId(group: string, groups: readonly (readonly string[])[]): number {
  const found = groups.find(([name, , gid]) => name === group || gid === group);
  const gid = found === undefined ? Number(group) : Number(found[2]);
  if (group !== '' && Number.isInteger(gid) && gid >= 0) return gid;
  throw new SkepError('not-found', `group '${group}' is not known on this host`);
}

function records(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
