package fastlog

import (
	"testing"

	"example.com/streams/07-production/throughput/internal/sametest"
)

// Tests of chapter 02's log are also tests of this one: each of them runs
// twice, with a client of chapter 02 and with one that receives batches.
// After a change there, UPDATE=1 copies them again.
func TestChapter02_TestsAreTheSame(t *testing.T) {
	sametest.Copy{
		From:   "02-server-stream/logs",
		Files:  []string{"client_test.go", "drain_test.go", "log_test.go", "memory_test.go", "resume_test.go", "server_test.go"},
		Prefix: "chapter02_",
		To:     "fastlog",
		Each:   "withEachClient",
		Without: map[string]string{
			"TestStreamLogs_HandlersShareTheEntries": "handlers share bytes: see TestRead_FollowersShareTheBytes",
			"sender":                                 "the stream of that test",
		},
	}.Check(t, "../../..")
}
