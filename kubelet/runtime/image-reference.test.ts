import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseImageReference } from './image-reference.js';

const digest = `sha256:${'a'.repeat(64)}`;

test('references get the default domain, library and tag', () => {
  const canonical: Record<string, string> = {
    busybox: 'docker.io/library/busybox:latest',
    'busybox:1.36': 'docker.io/library/busybox:1.36',
    'knarr/pause:1': 'docker.io/knarr/pause:1',
    'localhost/app': 'localhost/app:latest',
    'registry.local:5000/team/app:v1': 'registry.local:5000/team/app:v1',
    'index.docker.io/library/busybox': 'docker.io/library/busybox:latest',
    [`app@${digest}`]: `docker.io/library/app@${digest}`,
    [`app:1@${digest}`]: `docker.io/library/app:1@${digest}`,
  };
  for (const [reference, expected] of Object.entries(canonical)) {
    assert.equal(parseImageReference(reference).canonical, expected, reference);
  }
});

test('the familiar form is what the engine lists', () => {
  assert.equal(parseImageReference('docker.io/library/busybox').familiar, 'busybox:latest');
  assert.equal(parseImageReference('docker.io/knarr/pause:1').familiar, 'knarr/pause:1');
  assert.equal(parseImageReference('quay.example/a/b:2').familiar, 'quay.example/a/b:2');
});

test('what is no reference is InvalidImageName, with the reason of the original', () => {
  const wrong: Record<string, RegExp> = {
    '': /invalid reference format/,
    'Busybox:1': /repository name must be lowercase/,
    'busy box': /invalid reference format/,
    'app:': /invalid reference format/,
    'app:-x': /invalid reference format/,
    'app@sha256:12': /invalid reference format/,
    '/app': /invalid reference format/,
    'a//b': /invalid reference format/,
    'http://host/app': /invalid reference format/,
    ['a'.repeat(64)]: /cannot specify 64-byte hexadecimal strings/,
    [`x/${'a'.repeat(300)}`]: /must not be more than 255/,
  };
  for (const [reference, message] of Object.entries(wrong)) {
    assert.throws(
      () => parseImageReference(reference),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'InvalidImageName');
        assert.match(error.message, message, reference);
        return true;
      },
    );
  }
});
