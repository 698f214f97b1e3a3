/**
 * What every program of ours says that it is: the level of Kubernetes that it speaks. The suffix is build metadata: a `-` would
 * make it a pre-release in version ranges.
 */
export const version = Object.freeze({
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+knarr',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node ${process.version}`,
  compiler: 'tsc',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
});
