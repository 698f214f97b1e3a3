import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { formatManifest } from '../../shared/manifest/format.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';
import { buildKustomization } from './build.js';

const folders = [
  'apiserver/wire/testdata/kustomize/base',
  'apiserver/wire/testdata/kustomize/overlay',
  'cli/testdata/kustomize/kinds',
  'cli/testdata/kustomize/patches/base',
  'cli/testdata/kustomize/patches/over',
  'cli/testdata/kustomize/names/one',
  'cli/testdata/kustomize/names/both',
];
const theirs = (folder: string): string =>
  execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' });
const ours = (folder: string): string => buildKustomization(folder).map(formatManifest).join('---\n');
const valuesOf = (text: string): unknown[] => readManifests(text).map(({ value }) => value);

describe('a kustomization', () => {
  for (const folder of folders) {
    it(`is built as kubectl builds it: ${folder}`, () => {
      // kubectl keeps the quotes of the source.
      assert.deepEqual(valuesOf(ours(folder)), valuesOf(theirs(folder)));
    });
  }
});

describe('what is no kustomization', () => {
  const root = mkdtempSync(join(tmpdir(), 'knarr-kustomize-'));
  after(() => rmSync(root, { recursive: true }));
  const map = (name: string): string => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;
  const refused: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, message: RegExp]>> = {
    'a folder without the file': [{ 'other.yaml': '{}' }, /unable to find one of 'kustomization.yaml'/],
    'a field that nobody knows': [{ 'kustomization.yaml': 'resource: [a.yaml]' }, /unknown field "resource"/],
    'the same object twice': [
      { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]', 'a.yaml': map('a'), 'b.yaml': map('a') },
      /already registered id/,
    ],
    'a file that is not there': [{ 'kustomization.yaml': 'resources: [none.yaml]' }, /none.yaml/],
    'a patch for nothing': [
      { 'kustomization.yaml': `{resources: [a.yaml], patches: [{patch: "${map('b')}"}]}`, 'a.yaml': map('a') },
      /no resource matches strategic merge patch/,
    ],
    'operations without a target': [
      { 'kustomization.yaml': 'patches: [{patch: "[{op: remove, path: /data}]"}]' },
      /must specify a target/,
    ],
    'a path that does not exist': [
      {
        'kustomization.yaml':
          '{resources: [a.yaml], patches: [{target: {kind: ConfigMap}, patch: "[{op: remove, path: /data/x}]"}]}',
        'a.yaml': map('a'),
      },
      /\/data/,
    ],
    'replicas of nothing': [{ 'kustomization.yaml': 'replicas: [{name: web, count: 2}]' }, /resource with name web/],
    'a folder that contains itself': [
      { 'kustomization.yaml': 'resources: [inner]', 'inner/kustomization.yaml': 'resources: [..]' },
      /cycle/,
    ],
    'a literal without a value': [
      { 'kustomization.yaml': 'configMapGenerator: [{name: a, literals: [b]}]' },
      /invalid literal source b, expected key=value/,
    ],
    'a file outside its folder': [
      {
        'inner/kustomization.yaml': 'resources: [../a.yaml]',
        'a.yaml': map('a'),
        'kustomization.yaml': 'resources: [inner]',
      },
      /security; file '.*a.yaml' is not in or below '.*inner'/,
    ],
    'a list that is none': [
      { 'kustomization.yaml': 'resources: a.yaml', 'a.yaml': map('a') },
      /"resources" is not a list/,
    ],
    'a selector that is no expression': [
      {
        'kustomization.yaml': '{resources: [a.yaml], patches: [{target: {name: "("}, patch: "[]"}]}',
        'a.yaml': map('a'),
      },
      /error parsing regexp/,
    ],
    'a merge into nothing': [
      { 'kustomization.yaml': 'configMapGenerator: [{name: a, behavior: merge, literals: [b=c]}]' },
      /does not exist; cannot merge or replace/,
    ],
    'a replacement that finds no field': [
      {
        'kustomization.yaml':
          '{resources: [a.yaml], replacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x]}]}]}',
        'a.yaml': map('a'),
      },
      /unable to find field "data.x" in replacement target/,
    ],
  };
  for (const [name, [files, message]] of Object.entries(refused)) {
    it(`is refused, by kubectl too: ${name}`, () => {
      const folder = mkdtempSync(join(root, 'case-'));
      for (const [file, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), content);
      }
      assert.throws(() => theirs(folder));
      assert.throws(
        () => buildKustomization(folder),
        (error) => error instanceof Failure && message.test(error.message),
      );
    });
  }

  it('plugins, charts and other machines are refused by name', () => {
    const folder = mkdtempSync(join(root, 'case-'));
    for (const [content, message] of [
      ['helmCharts: []', /knarr does not know "helmCharts"; kubectl kustomize does/],
      [
        'resources: ["https://example.com/repository//folder?ref=main"]',
        /knarr reads no kustomizations from other machines/,
      ],
    ] as const) {
      writeFileSync(join(folder, 'kustomization.yaml'), content);
      assert.throws(() => buildKustomization(folder), message);
    }
  });
});
