const [WIDTH, LABEL, BAR, GAP, TOP, VALUE] = [760, 230, 22, 10, 62, 150];
const COLOURS = { own: '#2f6fde', base: '#8a94a3', other: '#c3cad4' };

/**
 * Horizontal bars as SVG, on a ground of its own, so that it can be read on any page.
 *
 * @param {{ title: string, subtitle: string, bars: { label: string, value: number, least: number, most: number,
 *   text: string, kind: 'own' | 'base' | 'other' }[] }} chart
 * @returns {string}
 */
export function drawBars({ title, subtitle, bars }) {
  const height = TOP + bars.length * (BAR + GAP) + 14;
  const longest = Math.max(...bars.map(({ value, most }) => Math.max(value, most)));
  const scale = (WIDTH - LABEL - VALUE) / longest;
  const rows = bars.map((bar, index) => drawBar(bar, TOP + index * (BAR + GAP), scale));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif">`,
    `  <title>${escaped(title)}</title>`,
    `  <rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="#d5dae1"/>`,
    `  <text x="20" y="28" font-size="15" font-weight="600" fill="#1c2430">${escaped(title)}</text>`,
    `  <text x="20" y="47" font-size="12" fill="#5a6675">${escaped(subtitle)}</text>`,
    ...rows.flat().map((line) => `  ${line}`),
    '</svg>',
    '',
  ].join('\n');
}

function drawBar({ label, value, least, most, text, kind }, y, scale) {
  const middle = y + BAR / 2;
  const at = (figure) => (LABEL + figure * scale).toFixed(1);
  const weight = kind === 'own' ? ' font-weight="600"' : '';
  const spread =
    most > least
      ? [
          `<path d="M${at(least)} ${middle}H${at(most)}M${at(least)} ${middle - 4}v8M${at(most)} ${middle - 4}v8" stroke="#1c2430" stroke-width="1.2" fill="none"/>`,
        ]
      : [];
  return [
    `<text x="${LABEL - 10}" y="${middle + 4}" font-size="13" text-anchor="end" fill="#1c2430"${weight}>${escaped(label)}</text>`,
    `<rect x="${LABEL}" y="${y}" width="${(value * scale).toFixed(1)}" height="${BAR}" rx="3" fill="${COLOURS[kind]}"/>`,
    ...spread,
    `<text x="${(LABEL + Math.max(value, most) * scale + 8).toFixed(1)}" y="${middle + 4}" font-size="13" fill="#1c2430"${weight}>${escaped(text)}</text>`,
  ];
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
