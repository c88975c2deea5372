// Loaded before the built command: at every look the clock is a year ahead or a year behind.
const year = 365 * 24 * 3_600_000;
const RealDate = Date;
let isAhead = false;

function jump() {
  isAhead = !isAhead;
  return RealDate.now() + (isAhead ? year : -year);
}

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [jump()] : parts));
  }

  static now() {
    return jump();
  }
};
