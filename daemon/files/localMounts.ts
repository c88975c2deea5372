import { readFile } from 'node:fs/promises';

/** File systems whose files are on disks or in memory of this machine. */
const localTypes = new Set('ext2 ext3 ext4 xfs btrfs f2fs bcachefs zfs overlay tmpfs devtmpfs ramfs rootfs'.split(' '));

export interface Mount {
  point: string;
  isLocal: boolean;
}

/** The file systems that are mounted here; none where the system does not tell, which is everywhere but on Linux. */
export async function readMounts(): Promise<Mount[]> {
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
}

/** @param mountinfo as proc(5) describes it: the mount point is the fifth field, the type follows a lone hyphen */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const point = before.split(' ')[4];
    const [type = ''] = after.split(' ');
    if (point === undefined) return [];
    const unescaped = point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return [{ point: unescaped, isLocal: localTypes.has(type) }];
  });
}

/**
 * Whether looking for a config file from a folder upward stays on local file systems.
 *
 * @param folder a real path
 */
export function isLocal(folder: string, mounts: readonly Mount[]): boolean {
  const foreign = mounts.filter((mount) => !mount.isLocal);
  const isUnder = ({ point }: Mount): boolean => point !== '/' && `${folder}/`.startsWith(`${point}/`);
  // What the search looks at beside the folders themselves can be mounted, too.
  const isLookedAt = ({ point }: Mount): boolean =>
    /\/(\.(?:git|jj|hg|sl)|\.codebase-mcp(\/config\.json)?)$/.test(point);
  const hasLocalRoot = mounts.some(({ point, isLocal: local }) => point === '/' && local);
  return hasLocalRoot && !foreign.some((mount) => mount.point === '/' || isUnder(mount) || isLookedAt(mount));
}
