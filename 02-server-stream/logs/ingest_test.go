package logs

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func TestIngest_LinesOfAnyLengthAndBytesArrive(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for name, tt := range map[string]struct {
		input, want string
		entries     uint64
	}{
		"nothing":                 {"", "", 0},
		"lines":                   {"one\ntwo\n", "one\ntwo\n", 2},
		"empty lines":             {"\n\n", "\n\n", 2},
		"no newline at the end":   {"one\ntwo", "one\ntwo\n", 2},
		"not UTF-8":               {"a\xff\xfeb\n", "a\uFFFDb\n", 1},
		"every other byte":        {strings.Repeat("x\xff", MaxLine/2) + "\n", strings.Repeat("x\uFFFD", MaxLine/2) + "\n", 1},
		"as long as an entry":     {long + "\n", long + "\n", 1},
		"longer by a byte":        {long + "y\n", long + "y\n", 2},
		"long, without a newline": {long + "y", long + "y\n", 2},
		"five times as long":      {strings.Repeat(long, 5) + "\nz\n", strings.Repeat(long, 5) + "\nz\n", 6},
		"cut before a character":  {long[1:] + "€uro\n", long[1:] + "€uro\n", 2},
		"cut inside an emoji":     {long[3:] + "🙂\n", long[3:] + "🙂\n", 2},
		"many continuation bytes": {strings.Repeat("\x80", MaxLine+9) + "\n", "\uFFFD\uFFFD\n", 2},
		"a long line of emoji":    {strings.Repeat("🙂", MaxLine) + "\n", strings.Repeat("🙂", MaxLine) + "\n", 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				require.NoError(t, Ingest(log, iotest.OneByteReader(strings.NewReader(tt.input))))
				require.Equal(t, tt.want, printed(t, log))
				require.Equal(t, tt.entries, log.newest)
			})
		})
	}
}

// What is valid in the input arrives: Ingest does not cut a character.
func FuzzIngest(f *testing.F) {
	f.Add([]byte("one\n\xfftwo€"), uint16(1))
	f.Add([]byte("\xa9\xae\xa3\xb6\xb6\xea"), uint16(16384))
	f.Add([]byte("🙂a"), uint16(4096))
	f.Fuzz(func(t *testing.T, pattern []byte, times uint16) {
		input := strings.Repeat(string(pattern), min(int(times), 8*MaxLine/max(1, len(pattern))))
		log := NewLog(len(input) + 1)
		require.NoError(t, Ingest(log, strings.NewReader(input)))
		var got strings.Builder
		for s := log.oldest; s <= log.newest; s++ {
			e := log.entries[s%uint64(len(log.entries))]
			require.True(t, utf8.ValidString(e.GetMessage()))
			require.LessOrEqual(t, len(e.GetMessage()), 2*MaxLine)
			require.NotContains(t, e.GetMessage(), "\n")
			got.WriteString(e.GetMessage())
			if !e.GetPartial() {
				got.WriteByte('\n')
			}
		}
		if input != "" && !strings.HasSuffix(input, "\n") {
			input += "\n"
		}
		require.Equal(t, valid(input), valid(got.String()))
	})
}

// valid returns s without bytes that are not valid UTF-8, and without what
// Ingest writes instead of them.
func valid(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "")
}

func TestIngest_LineArrivesBeforeTheNextIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		r, w := io.Pipe()
		ended := make(chan error)
		go func() { ended <- Ingest(log, r) }()
		_, err := io.WriteString(w, "one\ntw")
		require.NoError(t, err)
		synctest.Wait() // until Ingest waits for more
		require.Equal(t, "one\n", printed(t, log))
		broken := errors.New("broken")
		w.CloseWithError(broken)
		require.ErrorIs(t, <-ended, broken)
		require.Equal(t, "one\ntw\n", printed(t, log))
	})
}

// Run it with -race: Append may be called concurrently.
func TestIngest_TwoReadersMayShareALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(2000)
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- Ingest(log, strings.NewReader(strings.Repeat("x\n", 1000))) }()
		}
		require.NoError(t, errors.Join(<-ended, <-ended))
		got, err := sequences(t.Context(), dial(t, &LogServer{Log: log}), &logsv1.LogRequest{}, 0)
		require.NoError(t, err)
		require.Equal(t, between(1, 2000), got)
	})
}

// printed returns what a client prints for the log.
func printed(t *testing.T, log *Log) string {
	t.Helper()
	var text strings.Builder
	for e, err := range Tail(t.Context(), dial(t, &LogServer{Log: log}), &logsv1.LogRequest{}) {
		require.NoError(t, err)
		text.WriteString(e.GetMessage())
		if !e.GetPartial() {
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// This is why Ingest replaces bytes that are not valid UTF-8.
func TestSend_FailsIfAStringIsNotUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		log.Append("\xff", false)
		client, ends := dialEnds(t, log)
		_, err := sequences(t.Context(), client, &logsv1.LogRequest{}, 0)
		require.Equal(t, codes.Internal, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "string field contains invalid UTF-8")
		require.ErrorContains(t, (<-ends).err, "string field contains invalid UTF-8")
	})
}

func TestGenerate_NeedsAnInterval(t *testing.T) {
	require.Panics(t, func() { Generate(t.Context(), NewLog(1), 0) })
}

func TestGenerate_AppendsALinePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10_000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Millisecond)
		defer cancel()
		Generate(ctx, log, time.Second) // until ctx is done
		require.EqualValues(t, 3600, log.newest)
		for _, e := range log.entries[1:3601] {
			require.True(t, utf8.ValidString(e.GetMessage()))
		}
	})
}
