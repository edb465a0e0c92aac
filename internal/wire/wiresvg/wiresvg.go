// Package wiresvg draws one stream, as an SVG, from the lines that a
// [example.com/streams/internal/wire.Tap] has printed.
package wiresvg

import (
	"errors"
	"fmt"
	"html"
	"path"
	"slices"
	"strings"
	"time"
)

// A frame is a line of a recording.
type frame struct {
	at       time.Duration
	toServer bool
	kind     string // HEADERS, DATA, RST_STREAM
	caption  string // what it means for the stream
	cancels  bool
}

// The picture is 500 units wide, so that its letters are larger than 12
// pixels on a page of 390 pixels.
const (
	width     = 500
	clientX   = 100
	serverX   = 446
	top       = 88 // of the first arrow
	perSecond = 76 // units of height
	gap       = 36 // between two arrows at least
)

// Draw returns an SVG with the two lifelines of a stream and an arrow for each
// frame of the recording. Colors follow the reader's light or dark mode.
func Draw(title, recording string) (string, error) {
	frames, err := parse(recording)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	y := 0
	for i, f := range frames {
		at := top + int(f.at.Seconds()*perSecond)
		if i > 0 {
			at = max(at, y+gap)
		}
		y = at
		if i == 0 || f.at != frames[i-1].at {
			fmt.Fprintf(&b, "<text class=\"time\" x=\"8\" y=\"%d\">%v s</text>\n", y+6, f.at.Seconds())
		}
		f.draw(&b, y)
	}
	return fmt.Sprintf(head, width, y+40, width, y+40, html.EscapeString(title)) +
		lifeline(clientX, "client", y) + lifeline(serverX, "server", y) + b.String() + "</svg>\n", nil
}

// head begins the picture. It has a background of its own, because a page may
// be dark while the reader's system is light.
const head = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<style>
svg { --back: #ffffff; --edge: #d0d7de; --ink: #1f2328; --faint: #59636e; --there: #0969da; --back-again: #1a7f37; --end: #cf222e }
@media (prefers-color-scheme: dark) {
  svg { --back: #0d1117; --edge: #3d444d; --ink: #f0f6fc; --faint: #9198a1; --there: #4493f8; --back-again: #3fb950; --end: #f85149 }
}
text { font: 17px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
.time { fill: var(--faint) }
.side, .frame { text-anchor: middle }
.kind { font-weight: 600 }
.life { stroke: var(--edge); stroke-width: 2 }
.open { stroke: var(--faint); stroke-width: 6 }
.box { fill: var(--back); stroke: var(--edge) }
.there { stroke: var(--there); fill: var(--there); stroke-width: 2 }
.again { stroke: var(--back-again); fill: var(--back-again); stroke-width: 2 }
.end { stroke: var(--end); fill: var(--end); stroke-width: 3 }
text.end { stroke: none; fill: var(--end) }
</style>
<rect class="box" x="0.5" y="0.5" width="99.8%%" height="99.8%%" rx="8"/>
`

// lifeline draws one side. It is thick while the stream is open, up to the
// last frame.
func lifeline(x int, name string, last int) string {
	return fmt.Sprintf(`<line class="life" x1="%d" y1="50" x2="%d" y2="%d"/>
<line class="open" x1="%d" y1="%d" x2="%d" y2="%d"/>
<rect class="box" x="%d" y="14" width="80" height="36" rx="6"/>
<text class="side" x="%d" y="38">%s</text>
`, x, x, last+26, x, top, x, last, x-40, x, name)
}

// draw draws an arrow with its label above.
func (f frame) draw(b *strings.Builder, y int) {
	class, from, to, tip := "there", clientX+4, serverX-5, -10
	if !f.toServer {
		class, from, to, tip = "again", serverX-4, clientX+5, 10
	}
	label := ""
	if f.cancels {
		class, label = "end", " end"
	}
	fmt.Fprintf(b, "<text class=\"frame%s\" x=\"%d\" y=\"%d\"><tspan class=\"kind\">%s</tspan> %s</text>\n",
		label, (clientX+serverX)/2, y-8, f.kind, html.EscapeString(f.caption))
	fmt.Fprintf(b, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%[3]d\"/>\n", class, from, y, to+tip)
	fmt.Fprintf(b, "<path class=\"%s\" d=\"M%d %d l%d -5 v10 z\"/>\n", class, to, y, tip)
}

func parse(recording string) (frames []frame, err error) {
	messages := 0
	for line := range strings.Lines(recording) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			return nil, fmt.Errorf("recording: must be lines of a wire.Tap, got %q", line)
		}
		at, err := time.ParseDuration(fields[0])
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		f := frame{at: at, toServer: fields[1] == "C->S", kind: fields[2]}
		if f.kind == "DATA" && !f.toServer {
			messages++
		}
		f.caption, f.cancels = caption(f, fields[5:], messages)
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return nil, errors.New("recording: must have a frame, got none")
	}
	return frames, nil
}

// caption says what a frame of a server stream means.
func caption(f frame, details []string, messages int) (text string, cancels bool) {
	switch {
	case f.kind == "RST_STREAM" && slices.Contains(details, "code=CANCEL"):
		return "the client cancels", true
	case f.kind == "HEADERS" && f.toServer:
		return "call " + path.Base(strings.Join(details, " ")), false
	case f.kind == "HEADERS" && slices.Contains(details, ":status=200"):
		return "the response begins", false
	case f.kind == "HEADERS":
		return "the status", false
	case f.kind == "DATA" && f.toServer:
		return "the request", false
	case f.kind == "DATA":
		return fmt.Sprintf("message %d", messages), false
	}
	return strings.Join(details, " "), false
}
