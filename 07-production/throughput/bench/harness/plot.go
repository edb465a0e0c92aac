package harness

import (
	"fmt"
	"html"
	"strings"
)

// The picture is 500 units wide, so that its letters are large enough on a
// page of 390 pixels.
const (
	plotWidth = 500
	barLeft   = 16
	barRight  = 400 // the longest range ends here, and its number follows
	plotTop   = 58  // of the first name
	rowHeight = 46
)

// A bar is a row of a plot.
type bar struct {
	name   string
	spread Spread
}

// Plot draws a bar for each contender: how many times better it is than the
// first one, or, if by is another unit than "ratio", the metric itself. A
// thin line shows the range over the rounds.
func (r *Result) Plot(by string) string {
	unit := by
	if by == "ratio" {
		unit = r.comparative()
	}
	var bars []bar
	for i, c := range r.Comparison.Contenders {
		bars = append(bars, bar{c.Name, r.Spread(i, by)})
	}
	return draw(r.Comparison.Title, unit, bars)
}

// draw returns an SVG whose colors follow the reader's light or dark mode.
func draw(title, unit string, bars []bar) string {
	most := 0.0
	for _, b := range bars {
		most = max(most, b.spread.Max)
	}
	if most == 0 {
		most = 1
	}
	x := func(v float64) float64 { return barLeft + v/most*(barRight-barLeft) }
	height := plotTop + len(bars)*rowHeight
	var s strings.Builder
	fmt.Fprintf(&s, plotHead, plotWidth, height, plotWidth, height, html.EscapeString(title), html.EscapeString(title), html.EscapeString(unit))
	for i, b := range bars {
		y := plotTop + i*rowHeight
		fmt.Fprintf(&s, "<text x=\"%d\" y=\"%d\">%s</text>\n", barLeft, y+14, html.EscapeString(b.name))
		fmt.Fprintf(&s, "<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\"/>\n", barLeft, y+20, x(b.spread.Median)-barLeft)
		fmt.Fprintf(&s, "<line class=\"range\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%[2]d\"/>\n", x(b.spread.Min), y+27, x(b.spread.Max))
		fmt.Fprintf(&s, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", x(b.spread.Max)+8, y+33, digits(b.spread.Median))
	}
	return s.String() + "</svg>\n"
}

// plotHead begins the picture. It has a background of its own, because a
// page may be dark while the reader's system is light.
const plotHead = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<style>
svg { --back: #ffffff; --edge: #d0d7de; --ink: #1f2328; --faint: #59636e; --bar: #54aeff }
@media (prefers-color-scheme: dark) {
  svg { --back: #0d1117; --edge: #3d444d; --ink: #f0f6fc; --faint: #9198a1; --bar: #1f6feb }
}
text { font: 15px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
.title { font-weight: 600 }
.unit { fill: var(--faint) }
.box { fill: var(--back); stroke: var(--edge) }
.bar { fill: var(--bar) }
.range { stroke: var(--ink); stroke-width: 2 }
</style>
<rect class="box" x="0.5" y="0.5" width="99.8%%" height="99.8%%" rx="8"/>
<text class="title" x="16" y="26">%s</text>
<text class="unit" x="16" y="46">%s</text>
`
