package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/internal/testproc"
)

func TestChoose_TakesANameOrItsGroup(t *testing.T) {
	all := []harness.Comparison{{Name: "news"}, {Name: "stalled"}, {Name: "stalled-cost"}, {Name: "upload-tls"}, {Name: "upload-steps"}}
	for _, tt := range []struct{ names, want []string }{
		{nil, []string{"news", "stalled", "stalled-cost", "upload-tls", "upload-steps"}},
		{[]string{"upload"}, []string{"upload-tls", "upload-steps"}},
		{[]string{"stalled"}, []string{"stalled"}},
		{[]string{"upload-steps", "news"}, []string{"upload-steps", "news"}},
	} {
		chosen, err := choose(all, tt.names)
		require.NoError(t, err)
		var got []string
		for _, c := range chosen {
			got = append(got, c.Name)
		}
		require.Equal(t, tt.want, got, "of %v", tt.names)
	}
	_, err := choose(all, []string{"up"})
	require.EqualError(t, err, `NAME: must be one that -list prints, or its beginning, got "up"`)
}

func TestFlags_HaveTheDefaultsOfThePage(t *testing.T) {
	require.Equal(t, 2*time.Second, *quiet)
	require.Equal(t, 2, *retries)
}

// The command is the server of a fan-out, too.
func TestCommand_ShortMeasuresAndWritesNoFile(t *testing.T) {
	bench := filepath.Join(testproc.Build(t, "."), "bench")
	out := t.TempDir()
	p := testproc.Start(t, bench, "-short", "-out", out, "stalled-cost")
	status, stdout, _ := p.Wait()
	require.Zero(t, status, "exit status")
	require.Contains(t, stdout, "\ncommand: go run ./cmd/bench -short -out "+out+" stalled-cost\n")
	require.Contains(t, stdout, "\nBenchmarkStalled-cost/alone-")
	files, err := filepath.Glob(filepath.Join(out, "*"))
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestCommand_WritesAResultAndAPlot(t *testing.T) {
	bench := filepath.Join(testproc.Build(t, "."), "bench")
	out := filepath.Join(t.TempDir(), "results")
	p := testproc.Start(t, bench, "-rounds", "1", "-sample", "1ms", "-quiet", "0s", "-retries", "0", "-out", out, "message-16B")
	status, _, _ := p.Wait()
	require.Zero(t, status, "exit status")
	for _, file := range []string{"message-16B.txt", "message-16B.svg"} {
		require.FileExists(t, filepath.Join(out, file))
	}
}

func TestCommand_WrongUsageIsStatusTwo(t *testing.T) {
	bench := filepath.Join(testproc.Build(t, "."), "bench")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-rounds", "0"}, "bench: -rounds: must be at least 1, got 0 (see -help)\n"},
		{[]string{"-sample", "0s"}, "bench: -sample: must be above 0, got 0s (see -help)\n"},
		{[]string{"gone"}, "bench: NAME: must be one that -list prints, or its beginning, got \"gone\" (see -help)\n"},
	} {
		p := testproc.Start(t, bench, tt.args...)
		status, _, stderr := p.Wait()
		require.Equal(t, 2, status, "exit status")
		require.Equal(t, tt.want, stderr)
	}
}
