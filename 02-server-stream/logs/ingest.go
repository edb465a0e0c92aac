package logs

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

// MaxLine is the limit of a line in one entry: 16 KiB. A longer line becomes
// several entries, and all of them except the last are partial. A message
// may have twice as many bytes, because U+FFFD has three.
const MaxLine = 16 << 10

// An Appender is a [Log], or another log with the same method.
type Appender interface {
	Append(message string, partial bool)
}

// Ingest appends the lines of r to the log until r ends or fails. It replaces
// bytes that are not valid UTF-8 with U+FFFD, because Send fails if a proto3
// string is not valid UTF-8. Ingest returns nil when r ends, and otherwise
// the error of r.
func Ingest(log Appender, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine+1)
	lines.Split(splitLine)
	for lines.Scan() {
		text, whole := bytes.CutSuffix(lines.Bytes(), []byte("\n"))
		log.Append(strings.ToValidUTF8(string(text), "\uFFFD"), !whole)
	}
	return lines.Err()
}

// splitLine is a [bufio.SplitFunc]. It returns a line with its newline. If
// the line is longer than MaxLine, splitLine returns as much of it as one
// entry holds, and does not cut a character.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if len(data) > MaxLine {
		cut := wholeCharacters(data[:MaxLine])
		return cut, data[:cut], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), append(data, '\n'), nil
	}
	return 0, nil, nil // read more
}

// wholeCharacters returns the length of data, without the first bytes of a
// character that data does not hold as a whole.
func wholeCharacters(data []byte) int {
	for i := len(data) - 1; i > len(data)-utf8.UTFMax; i-- {
		if utf8.RuneStart(data[i]) && !utf8.FullRune(data[i:]) {
			return i
		}
	}
	return len(data)
}

// Generate appends a made-up line per interval until ctx is done. The
// interval must be greater than 0.
func Generate(ctx context.Context, log Appender, interval time.Duration) {
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
