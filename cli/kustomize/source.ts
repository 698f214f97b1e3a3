/** No path begins so. */
const mark = '\0kustomization:';

/** How a folder with a kustomization stands among the files that -f names. */
export const kustomizationSource = (directory: string): string => `${mark}${directory}`;

/** The folder, if a source is one with a kustomization. */
export const kustomizationOf = (source: string): string | undefined =>
  source.startsWith(mark) ? source.slice(mark.length) : undefined;
