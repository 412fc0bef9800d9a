// What stopwatch.py asks a page. Conditions are asked once a frame, so that measuring costs next to nothing.
window.aegis = {
  frame: () => new Promise(requestAnimationFrame),
  all: selector => [...document.querySelectorAll(selector)].filter(element => element.getClientRects().length),
  says: (selector, pattern) => aegis.all(selector).some(element => pattern.test(element.textContent.trim())),
  // Pictures count once they are decoded, charts once their lines or points are drawn.
  async pictures(selector, count) {
    const found = aegis.all(selector);
    if (found.length < count || !found.every(image => image.complete && image.naturalWidth)) return false;
    return Promise.all(found.map(image => image.decode())).then(() => true, () => false);
  },
  charts(count) {
    const found = aegis.all('.js-plotly-plot');
    return found.length >= count && found.every(chart => chart.querySelector('.scatterlayer .point, .scatterlayer .js-line'));
  },
  // The chart of Inspect Class, which lies behind the border of its component.
  scatter() {
    const roots = aegis.all('[class*="st-key-inspect-chart"] *').map(element => element.shadowRoot);
    const chart = roots.map(root => root?.querySelector('.chart')).find(found => found);
    return chart?.querySelector('.point') ? chart.parentNode.aegisChart : null;
  },
  hovered: () => {
    const tip = aegis.scatter()?.tip;
    return tip && !tip.hidden && !aegis.scatter().thumb.hidden;
  },
  gallery() {
    const image = aegis.all('[data-testid="stImage"] img')[0];
    return image ? `${image.src} ${image.alt}` : '';
  },
  bandwidth: () => aegis.scatter()?.barText.textContent,
  slider: () => 'bandwidth ' + document.querySelector('[class*=st-key-inspect-bandwidth] input').getAttribute('aria-valuetext'),
  settled() {
    const app = document.querySelector('[data-testid="stApp"]');
    return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale="true"]');
  },
  // Until nothing runs on the server, and the browser has drawn all that came of it.
  async rest(limit) {
    await aegis.watch(performance.now(), limit, [aegis.settled]);
    await new Promise(requestIdleCallback);
    await aegis.watch(performance.now(), limit, [aegis.settled]);
  },
  // Milliseconds after `start` at which each condition held and had been painted, one after the other.
  async watch(start, limit, conditions) {
    const times = [];
    for (const holds of conditions) {
      while (!(await holds())) {
        if (performance.now() - start > limit * 1000) throw new Error(`In vain: ${holds}`);
        await aegis.frame();
      }
      await aegis.frame();
      times.push(performance.now() - start);
    }
    return times;
  },
  // Clusters with a few but not all translated images, and of each the point farthest from other clusters' points.
  clusters(few) {
    const chart = aegis.scatter(), { groups, filled } = chart.data;
    // On a laptop's height the chart of a flagged class begins below its trigger, and a part of it cannot be clicked.
    chart.svg.scrollIntoView({ block: 'center' });
    const box = chart.svg.getBoundingClientRect();
    const moved = group => group.rows.filter(row => filled[row]).length;
    const whole = groups.map(moved).reduce((a, b) => a + b, 0);
    const drawn = groups.map(group => group.rows.map(row => [box.x + chart.spots[row][0], box.y + chart.spots[row][1]]));
    return groups.flatMap((group, g) => {
      if (moved(group) < few || moved(group) === whole) return [];
      const others = drawn.flatMap((points, o) => o === g ? [] : points);
      const gap = ([x, y]) => Math.min(...others.map(([a, b]) => Math.hypot(a - x, b - y)));
      const room = point => point[1] < innerHeight - 20 ? gap(point) : -1;
      const [x, y] = drawn[g].reduce((best, point) => room(point) > room(best) ? point : best);
      return [{number: Number(group.name.replace('cluster ', '')), x, y}];
    });
  },
};
