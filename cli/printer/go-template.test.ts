import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoTemplate } from './go-template.js';

const data = {
  metadata: { name: 'web', labels: { b: '2', a: '1' } },
  spec: { replicas: 2, paused: false, containers: [{ name: 'x' }, { name: 'y' }], data: 'aGk=' },
};

test('templates render as those of Go', () => {
  const table: [string, string][] = [
    ['{{.metadata.name}}', 'web'],
    ['{{.metadata.none}}', '<no value>'],
    ['{{range .spec.containers}}{{.name}} {{end}}', 'x y '],
    ['{{range $i, $c := .spec.containers}}{{$i}}={{$c.name}}{{"\\n"}}{{end}}', '0=x\n1=y\n'],
    ['{{range $k, $v := .metadata.labels}}{{$k}}{{$v}},{{end}}', 'a1,b2,'],
    ['{{if .spec.paused}}yes{{else if eq .spec.replicas 2}}two{{else}}no{{end}}', 'two'],
    ['{{with .spec.none}}a{{else}}b{{end}}', 'b'],
    ['{{- .metadata.name -}}  !', 'web!'],
    ['{{index .spec.containers 1 | printf "%v"}}', 'map[name:y]'],
    ['{{(index .spec.containers 0).name}}', 'x'],
    ['{{len .spec.containers}} {{.metadata.labels}}', '2 map[a:1 b:2]'],
    ['{{.spec.data | base64decode}}', 'hi'],
    ['{{range .spec.containers}}{{$.metadata.name}}{{end}}', 'webweb'],
    ['{{printf "%-5s|%3d" .metadata.name 7}}', 'web  |  7'],
    ['{{/* a comment */}}{{and true .spec.paused}}', 'false'],
  ];
  for (const [template, expected] of table) assert.equal(GoTemplate.parse(template).render(data), expected, template);
});

test('texts that are no template are refused', () => {
  for (const text of ['{{.a', '{{range .a}}', '{{end}}', '{{nosuch .a}}', '{{(.a}}', '{{.a |}}'])
    assert.throws(() => GoTemplate.parse(text), /error parsing template/, text);
});
