// Plays a recording: turns follow it, seek it, and every quote can be heard alone.

import { clips } from "./clips.js";

const SKIP_S = 5;
const HEIGHT_PX = 84;
const HEIGHT_NARROW_PX = 48;

function start(audio) {
  const data = JSON.parse(document.querySelector("#recording-data").textContent);
  const turns = data.turns.map(([index, startMs, endMs]) => ({
    startMs, endMs,
    get element() { return document.querySelector(`#turn-${index}`); }, // a corrected turn is another element
  }));
  new Follower(audio, turns, document.querySelector("#follow"));
  listen(audio);
  listenToKeys(audio, turns);
  openAtHash(audio, turns);
  drawWaveform(audio, data);
}

// Marks the turn under the playing position and keeps it in sight.
class Follower {
  constructor(audio, turns, box) {
    this.turns = turns;
    this.box = box;
    this.current = null;
    const update = () => this.show(audio.currentTime * 1000, !audio.paused);
    audio.addEventListener("timeupdate", update);
    audio.addEventListener("seeked", update);
    document.addEventListener("htmx:afterSettle", () => this.current?.element?.setAttribute("aria-current", "true"));
  }

  show(positionMs, scroll) {
    const turn = turnAt(this.turns, positionMs);
    if (turn === this.current) return;
    this.current?.element?.removeAttribute("aria-current");
    this.current = turn;
    if (!turn) return;
    turn.element.setAttribute("aria-current", "true");
    if (scroll && this.box.checked) turn.element.scrollIntoView({ block: "nearest" });
  }
}

// The last turn that has begun: binary search, as calls have hundreds.
function turnAt(turns, positionMs) {
  let low = 0;
  let high = turns.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (turns[middle].startMs <= positionMs) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : turns[low - 1];
}

function seek(audio, positionMs, play = true) {
  clips.stop();
  audio.currentTime = positionMs / 1000;
  if (play) audio.play().catch(() => {});
}

function listen(audio) {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clip-start]")) return;
    const target = event.target.closest("[data-seek]");
    if (target && !String(document.getSelection())) return seek(audio, Number(target.dataset.seek));
    const lane = event.target.closest(".lane");
    if (lane && Number.isFinite(audio.duration)) {
      const box = lane.getBoundingClientRect();
      seek(audio, ((event.clientX - box.left) / box.width) * audio.duration * 1000, false);
    }
  });
  document.querySelector("#speed").addEventListener("change", (event) => {
    audio.playbackRate = Number(event.target.value);
  });
  const showFailure = () => {
    document.querySelector("#audio-failed").hidden = false;
  };
  audio.addEventListener("error", showFailure);
  if (audio.error) showFailure(); // it failed before this script ran
}

function listenToKeys(audio, turns) {
  const actions = {
    " ": () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()),
    ArrowLeft: () => seek(audio, Math.max(audio.currentTime - SKIP_S, 0) * 1000, !audio.paused),
    ArrowRight: () => seek(audio, (audio.currentTime + SKIP_S) * 1000, !audio.paused),
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    Escape: () => clips.stop(),
  };
  function step(by) {
    const index = turns.indexOf(turnAt(turns, audio.currentTime * 1000)) + by;
    const turn = turns[Math.min(Math.max(index, 0), turns.length - 1)];
    if (!turn) return;
    seek(audio, turn.startMs, !audio.paused);
    turn.element.scrollIntoView({ block: "nearest" });
    turn.element.querySelector(".turn__time").focus({ preventScroll: true });
  }
  document.addEventListener("keydown", (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("input, select, textarea, summary, audio")) return;
    if (event.key === " " && event.target.closest("button, a")) return;
    event.preventDefault();
    action();
  });
}

// #t=61.2 opens the page at that second.
function openAtHash(audio, turns) {
  const jump = () => {
    const match = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (!match) return;
    audio.currentTime = Number(match[1]);
    turnAt(turns, Number(match[1]) * 1000 + 1)?.element.scrollIntoView({ block: "center" });
  };
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) jump();
  else audio.addEventListener("loadedmetadata", jump, { once: true });
  window.addEventListener("hashchange", jump);
}

async function drawWaveform(audio, data) {
  const container = document.querySelector("#waveform");
  const [loading, failed] = ["#waveform-loading", "#waveform-failed"].map((id) => document.querySelector(id));
  try {
    if (!window.WaveSurfer) throw new Error("the waveform script is missing");
    const response = await fetch(data.peaksUrl);
    if (!response.ok) throw new Error(`peaks: ${response.status}`);
    const { peaks, duration_ms: durationMs } = await response.json();
    loading.hidden = true;
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    const height = matchMedia("(max-width: 760px)").matches ? HEIGHT_NARROW_PX : HEIGHT_PX;
    const colours = peaks.length > 1 ? data.channelRoles.map((role) => token(`--${role}`)) : [token("--line-strong")];
    window.WaveSurfer.create({
      container,
      media: audio,
      peaks,
      duration: durationMs / 1000,
      height: height / peaks.length,
      normalize: true,
      barWidth: 2,
      barGap: 1,
      cursorColor: token("--ink"),
      progressColor: token("--accent"),
      waveColor: colours[0],
      splitChannels: peaks.length > 1 ? colours.map((waveColor) => ({ waveColor })) : undefined,
      cspNonce: data.nonce,
      hideScrollbar: true,
    });
  } catch (error) {
    loading.hidden = true;
    failed.hidden = false;
    console.error(error);
  }
}

const audio = document.querySelector("#audio");
if (audio) start(audio);
