import type { Recipe } from '../mutation.js';

const words = (text: string): string[] => text.split(' ');

/** Files that people hand to the command: their parsers meet no server first. */
export const fileRecipes: Readonly<Record<'manifest' | 'kubeconfig', Recipe>> = {
  manifest: {
    count: 500,
    seeds: [
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {k: "v", l: |\n  x\n}\n---\nkind: List\nitems: []\n',
      'a: &x [1, 2]\nb: *x\nc: {<<: {d: 1}}\n',
      '# only a comment\n---\n...\n',
      '{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c"}]}}',
      'a: 0x1F\nb: 1_000\nc: .inf\nd: 2026-01-01\ne: !!binary AAA=\nf: no\ng: ~\n',
      'x: &x [*x]\n',
    ],
    words: words('&a *a <<: !!str !!binary | > |- >+ --- ... ? : - [ ] { } \t % @ ` " \' #'),
  },
  kubeconfig: {
    count: 300,
    keepsJson: true,
    seeds: [
      '{"current-context":"a","clusters":[{"name":"a","cluster":{"server":"https://127.0.0.1:1"}}],"users":[{"name":"a","user":{"token":"t"}}],"contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}]}',
      'current-context: a\nclusters:\n- name: a\n  cluster: {server: "https://a:b", certificate-authority-data: "!!"}\nusers: []\ncontexts:\n- {name: a, context: {cluster: a, user: none}}\n',
      '{"current-context":"a","clusters":{},"users":5,"contexts":[null,{"name":"a"}]}',
    ],
    words: words(
      'current-context clusters users contexts name cluster user server token client-certificate-data tokenFile https:// null',
    ),
  },
};

/** The corpora stay with the sources: modules run from dist/. */
export const fileCorpus = (name: string): URL => new URL(`../../../../shared/fuzz/corpus/${name}.txt`, import.meta.url);
