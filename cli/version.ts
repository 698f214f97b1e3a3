/** The level of Kubernetes that this client speaks. */
export const clientVersion = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+knarr',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
