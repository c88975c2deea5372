import type { BuildOptions } from 'esbuild';

export function commandBundle(version: string, outdir: string): BuildOptions;
