package travels

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// label describes a frame in a few words. Its fields are those of a
// [wire.Tap], from the stream on.
func label(kind string, fields []string) string {
	var ends bool
	words := []string{kind}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "ACK":
			words = append(words, "ACK")
		case "END_STREAM":
			ends = true
		case ":path":
			words = append(words, ":path")
		case "grpc-timeout":
			words = append(words, "grpc-timeout")
		case ":status":
			words = append(words, ":status "+value)
		case "grpc-status":
			n, _ := strconv.Atoi(value) // a status code, as the recorder's server sends it
			words = append(words, fmt.Sprintf("grpc-status %d %v", n, codes.Code(n)))
		case "message":
			words = append(words, size(value))
		case "code":
			if kind == "RST_STREAM" {
				words = append(words, value)
			}
		case "increment":
			words = append(words, value)
		case "last-stream":
			words = append(words, "last stream "+strings.Replace(value, "2147483647", "2^31-1", 1))
		}
	}
	if ends {
		words = append(words, "END_STREAM")
	}
	return wrap(words)
}

// wrap joins words to lines that fit between two lifelines on a telephone.
func wrap(words []string) string {
	text, width := words[0], len(words[0])
	for _, word := range words[1:] {
		if width += 1 + len(word); width > 28 {
			text, width = text+"<br/>"+word, len(word)
		} else {
			text += " " + word
		}
	}
	return text
}

// size turns 12B into 12 B, and 16384B into 16 KiB.
func size(value string) string {
	n, err := strconv.Atoi(strings.TrimSuffix(value, "B"))
	switch {
	case err != nil:
		return value
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", (n+1<<9)>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// pause is the shortest time without events that a diagram mentions.
const pause = 100 * time.Millisecond

// diagram draws the events with Mermaid: an arrow for each frame, a note for
// the calls of a side between two frames, and a note for each pause.
func diagram(events []event) string {
	var b strings.Builder
	b.WriteString("```mermaid\nsequenceDiagram\n  participant C as client\n  participant S as server\n")
	var calls []string
	for i, e := range events {
		if i > 0 && e.at-events[i-1].at >= pause {
			fmt.Fprintf(&b, "  Note over C,S: %v s later\n", (e.at - events[i-1].at).Round(pause).Seconds())
		}
		if e.kind == frame {
			head := "->>"
			if e.lost {
				head = "-x"
			}
			fmt.Fprintf(&b, "  %s%s%s: %s\n", e.side, head, other(e.side), e.text)
			continue
		}
		calls = append(calls, e.text)
		if i+1 < len(events) {
			next := events[i+1]
			if next.kind != frame && next.side == e.side && next.at-e.at < pause {
				continue // in the same note
			}
		}
		fmt.Fprintf(&b, "  Note over %s: %s\n", e.side, strings.Join(short(calls), "<br/>"))
		calls = nil
	}
	b.WriteString("```\n")
	return b.String()
}

func other(s side) side {
	if s == client {
		return server
	}
	return client
}

// short counts equal calls instead of repeating them, and leaves out a call
// that its own result follows.
func short(calls []string) (lines []string) {
	for len(calls) > 0 {
		n := slices.IndexFunc(calls, func(c string) bool { return c != calls[0] })
		if n < 0 {
			n = len(calls)
		}
		switch {
		case n > 1:
			lines = append(lines, fmt.Sprintf("%s, %d times", calls[0], n))
		case len(calls) == 1 || !strings.HasPrefix(calls[1], calls[0]+": "):
			lines = append(lines, calls[0])
		}
		calls = calls[n:]
	}
	return lines
}
