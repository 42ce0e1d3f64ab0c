// What charts count with.

/** The end of an axis: 1, 2 or 5 times a power of ten, at least the largest value and at least 1. */
export function nice(most: number): number {
  if (!(most > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((step) => step * power >= most) ?? 10) * power;
}

/** The path of an area under values, left to right; `height` is where zero lies, `tall` how high the axis reaches. */
export function area(values: number[], most: number, width: number, height: number, tall: number): string {
  if (values.length === 0) return "";
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const at = (value: number): string => (height - (Math.min(value, most) / most) * tall).toFixed(1);
  const line = values.map((value, n) => `${(n * step).toFixed(1)} ${at(value)}`).join("L");
  const end = values.length > 1 ? width : 0;
  return `M0 ${height}L${line}L${end.toFixed(1)} ${height}z`;
}
