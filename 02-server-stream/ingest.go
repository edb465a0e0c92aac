package serverstream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxLine is the most bytes of a line that one entry holds. A longer line
// becomes several entries, all but the last of them partial.
const MaxLine = 16 << 10

// Ingest appends the lines of r to the log until r ends or fails. Bytes
// that are not UTF-8 become U+FFFD: a proto string must be UTF-8, or Send
// fails.
func Ingest(log *Log, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine+1)
	lines.Split(splitLine)
	for lines.Scan() {
		text, whole := bytes.CutSuffix(lines.Bytes(), []byte("\n"))
		log.Append(strings.ToValidUTF8(string(text), "\uFFFD"), !whole)
	}
	return lines.Err()
}

// splitLine is a [bufio.SplitFunc]: a line with its newline, or as much of
// it as one entry holds, not cut inside a character.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if len(data) > MaxLine {
		cut := MaxLine
		for cut > MaxLine-utf8.UTFMax && !utf8.RuneStart(data[cut]) {
			cut--
		}
		return cut, data[:cut], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), append(data, '\n'), nil
	}
	return 0, nil, nil // read on
}

// Generate appends a made-up line per interval until ctx is done.
func Generate(ctx context.Context, log *Log, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			log.Append(madeUpLine(), false)
		}
	}
}

func madeUpLine() string {
	service := pick("checkout", "cart", "payments", "search", "auth")
	switch rand.N(10) {
	case 0:
		return fmt.Sprintf("ERROR %-8s upstream timed out after 3s order=%d", service, rand.N(90000)+10000)
	case 1, 2:
		return fmt.Sprintf("WARN  %-8s slow query %dms table=orders", service, rand.N(2000)+500)
	default:
		return fmt.Sprintf("INFO  %-8s %s %dms", service,
			pick("GET /cart 200", "POST /orders 201", "GET /search?q=lamp 200"), rand.N(90)+3)
	}
}

func pick(s ...string) string { return s[rand.N(len(s))] }
