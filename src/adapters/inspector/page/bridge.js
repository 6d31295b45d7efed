/**
 * Hands our frames to the viewer of stately.ai, which says when it is ready to hear them. It is told
 * to its own origin only, and nothing it says is acted on but that one word.
 *
 * Every time it says so it is new: it gets a connection of its own, which begins with what is known.
 * Does it never say so, the daemon's own page takes over.
 */
const ANSWERS_WITHIN_MS = 6_000;
const RETRY_MS = 1_500;

const viewer = document.getElementById('viewer');
const link = document.getElementById('link');
const url = document.querySelector('meta[name="viewer"]').content;
const origin = new URL(url).origin;
let socket;

const alone = setTimeout(() => location.replace('./?alone'), ANSWERS_WITHIN_MS);

function connect() {
  const mine = new WebSocket(`ws://${location.host}/`);
  socket = mine;
  mine.addEventListener('open', () => {
    link.textContent = 'live';
  });
  mine.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(data);
    if (mine === socket && frame.type.startsWith('@xstate.')) {
      viewer.contentWindow.postMessage(frame, origin);
    }
  });
  mine.addEventListener('close', () => {
    if (mine !== socket) return;
    link.textContent = 'no daemon, trying again';
    setTimeout(() => mine === socket && connect(), RETRY_MS);
  });
}

addEventListener('message', (event) => {
  if (event.source !== viewer.contentWindow || event.origin !== origin) return;
  if (event.data?.type !== '@statelyai.connected') return;
  clearTimeout(alone);
  const old = socket;
  connect();
  old?.close();
});
viewer.src = url;
