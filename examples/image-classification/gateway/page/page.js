// The page of the image-classification demo: sends pictures to POST /predict and shows what comes back, and from whom.
const element = (id) => document.getElementById(id);
const counts = { gateway: new Map(), model: new Map() };
let latest = 0;

/** Sends a picture or a URL; returns the prediction, or throws an Error with a sentence for the reader. */
async function predict(body, type) {
  let response;
  try {
    response = await fetch('/predict', { method: 'POST', body, headers: { 'content-type': type } });
  } catch {
    throw new Error('The gateway cannot be reached.');
  }
  const answer = await response.json().catch(() => ({ error: `The gateway answers with status ${response.status}.` }));
  if (!response.ok) throw new Error(answer.error);
  count(counts.gateway, answer.gateway);
  count(counts.model, answer.model_server ?? 'not named');
  showPods();
  return answer;
}

function count(map, name) {
  map.set(name, (map.get(name) ?? 0) + 1);
}

/** Shows a picture and its prediction; an answer that a newer picture has overtaken is dropped. */
async function classify(preview, body, type) {
  const turn = ++latest;
  showPreview(preview);
  document.body.classList.add('busy');
  element('error').hidden = true;
  const start = performance.now();
  try {
    const answer = await predict(body, type);
    if (turn === latest) showAnswer(answer, performance.now() - start);
    return answer;
  } catch (error) {
    if (turn === latest) showError(error.message);
    return undefined;
  } finally {
    if (turn === latest) document.body.classList.remove('busy');
  }
}

function showPreview(source) {
  const image = element('preview');
  if (image.src.startsWith('blob:')) URL.revokeObjectURL(image.src);
  image.hidden = source === undefined;
  element('drop-hint').hidden = source !== undefined;
  if (source === undefined) return image.removeAttribute('src');
  image.src = source;
  image.alt = 'The picture that is being classified';
}

function showAnswer(answer, tookMs) {
  element('prediction').textContent = answer.prediction;
  element('probability').textContent = percent(answer.probability);
  element('gateway').textContent = answer.gateway;
  element('model-server').textContent = answer.model_server ?? 'not named';
  element('model').textContent = `${answer.model.name} v${answer.model.version}`;
  element('latency').textContent = `${Math.round(tookMs)} ms, model server ${answer.model_latency_ms} ms`;
  showBars(answer.predictions);
}

function showBars(predictions) {
  const list = element('bars');
  const entries = Object.entries(predictions);
  while (list.children.length > entries.length) list.lastChild.remove();
  while (list.children.length < entries.length) list.append(newBar());
  const best = Math.max(...entries.map(([, value]) => value));
  for (const [index, [name, value]] of entries.entries()) {
    const row = list.children[index];
    row.classList.toggle('best', value === best);
    row.querySelector('.name').textContent = name;
    row.querySelector('.value').textContent = percent(value);
    const bar = row.querySelector('.bar');
    requestAnimationFrame(() => (bar.style.transform = `scaleX(${value})`));
  }
}

function newBar() {
  const row = document.createElement('li');
  const track = part('span', 'track');
  track.append(part('div', 'bar'));
  row.append(part('span', 'name'), track, part('span', 'value'));
  return row;
}

function part(tag, className, text = '') {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function percent(value) {
  return `${(value * 100).toFixed(1)} %`;
}

function showError(message) {
  element('prediction').textContent = 'No prediction';
  element('probability').textContent = '';
  for (const fact of ['gateway', 'model-server', 'model', 'latency']) element(fact).textContent = '–';
  element('bars').replaceChildren();
  element('error').textContent = message;
  element('error').hidden = false;
}

function showPods() {
  const columns = ['gateway', 'model'].map((kind) => {
    const map = counts[kind];
    const title = kind === 'gateway' ? 'gateway pods' : 'model-server pods';
    const column = document.createElement('div');
    const list = document.createElement('ul');
    for (const name of [...map.keys()].sort((left, right) => left.localeCompare(right))) {
      const row = document.createElement('li');
      row.append(part('span', 'name', name), part('strong', 'value', String(map.get(name))));
      list.append(row);
    }
    column.append(part('h3', '', title), list);
    return column;
  });
  element('pods').replaceChildren(...columns);
}

function classifyFile(file) {
  if (!file) return;
  void classify(
    URL.createObjectURL(file),
    file,
    file.type.startsWith('image/') ? file.type : 'application/octet-stream',
  );
}

async function classifySample(name, button) {
  for (const other of element('samples').querySelectorAll('button'))
    other.setAttribute('aria-pressed', String(other === button));
  const picture = await fetch(`/samples/${name}`).then((response) => response.blob());
  const answer = await classify(`/samples/${name}`, picture, 'image/jpeg');
  if (answer === undefined) return;
  const verdict = button.querySelector('.verdict') ?? part('span', 'verdict');
  verdict.textContent = answer.prediction;
  verdict.classList.toggle('wrong', answer.prediction !== name.replace(/-\d+\.jpg$/, ''));
  button.append(verdict);
}

async function showSamples() {
  const { samples } = await fetch('/samples').then((response) => response.json());
  for (const name of samples) {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = name;
    button.setAttribute('aria-pressed', 'false');
    const image = document.createElement('img');
    image.src = `/samples/${name}`;
    image.alt = name.replace(/-(\d+)\.jpg$/, ', drawing $1');
    image.loading = 'lazy';
    button.append(image);
    button.addEventListener('click', () => classifySample(name, button));
    const item = document.createElement('li');
    item.append(button);
    element('samples').append(item);
  }
}

const drop = element('drop');
for (const type of ['dragenter', 'dragover']) {
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
}
for (const type of ['dragleave', 'drop']) drop.addEventListener(type, () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  classifyFile(event.dataTransfer.files[0]);
});
element('file').addEventListener('change', (event) => {
  classifyFile(event.target.files[0]);
  event.target.value = '';
});
document.addEventListener('paste', (event) => classifyFile(event.clipboardData.files[0]));
element('url-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void classify(undefined, JSON.stringify({ url: element('url').value }), 'application/json');
});
element('all').addEventListener('click', async (event) => {
  event.target.disabled = true;
  for (const button of element('samples').querySelectorAll('button')) await classifySample(button.title, button);
  event.target.disabled = false;
});
showSamples().catch(() => showError('The samples cannot be loaded.'));
