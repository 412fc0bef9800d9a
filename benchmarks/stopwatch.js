// What stopwatch.py asks a page. Conditions are asked once a frame, so that measuring costs next to nothing.
window.aegis = {
  frame: () => new Promise(requestAnimationFrame),
  all: selector => [...document.querySelectorAll(selector)].filter(element => element.getClientRects().length),
  says: (selector, pattern) => aegis.all(selector).some(element => pattern.test(element.textContent.trim())),
  // Pictures count once they are decoded, charts once their points are drawn.
  async pictures(selector, count) {
    const found = aegis.all(selector);
    if (found.length < count || !found.every(image => image.complete && image.naturalWidth)) return false;
    return Promise.all(found.map(image => image.decode())).then(() => true, () => false);
  },
  charts(count) {
    const found = aegis.all('.js-plotly-plot');
    return found.length >= count && found.every(chart => chart.querySelector('.scatterlayer .point'));
  },
  gallery() {
    const image = aegis.all('[data-testid="stImage"] img')[0];
    return image ? `${image.src} ${image.alt}` : '';
  },
  // Drawn last, so that points are there when it is.
  bandwidth: () => aegis.all('.js-plotly-plot').at(-1)?.querySelector('.annotation-text')?.textContent,
  slider: () => 'bandwidth ' + document.querySelector('[class*=st-key-inspect-bandwidth] input').getAttribute('aria-valuetext'),
  settled() {
    const app = document.querySelector('[data-testid="stApp"]');
    return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale="true"]');
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
    const chart = aegis.all('.js-plotly-plot')[0];
    const nodes = [...chart.querySelectorAll('.scatterlayer .point')];
    const traces = chart.data.filter(trace => trace.customdata);
    const filled = trace => trace.marker.symbol.filter(symbol => !symbol.endsWith('-open')).length;
    const whole = traces.map(filled).reduce((a, b) => a + b, 0);
    const drawn = traces.map(trace => nodes.splice(0, trace.customdata.length).map(node => {
      const box = node.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    }));
    return traces.flatMap((trace, t) => {
      if (filled(trace) < few || filled(trace) === whole) return [];
      const others = drawn.flatMap((points, o) => o === t ? [] : points);
      const gap = ([x, y]) => Math.min(...others.map(([a, b]) => Math.hypot(a - x, b - y)));
      const room = point => point[1] < innerHeight - 20 ? gap(point) : -1;
      const [x, y] = drawn[t].reduce((best, point) => room(point) > room(best) ? point : best);
      return [{number: Number(trace.name.replace('cluster ', '')), x, y}];
    });
  },
};
