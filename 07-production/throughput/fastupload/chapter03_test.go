package fastupload

import (
	"testing"

	"example.com/streams/07-production/throughput/internal/sametest"
)

// Tests of chapter 03's upload are also tests of this one. After a change
// there, UPDATE=1 copies them again.
func TestChapter03_TestsAreTheSame(t *testing.T) {
	sametest.Copy{
		From: "03-client-stream",
		Files: []string{
			"bench_test.go", "client_test.go", "delivery_test.go", "end_test.go", "idle_test.go", "kill_test.go", "name_test.go",
			"partial_test.go", "server_test.go",
		},
		Prefix: "chapter03_",
		To:     "fastupload",
		Without: map[string]string{
			"BenchmarkHeap": "compares the naive ways of chapter 03",
			"TestUpload_DoesNotChangeMessageAfterSend": "the price: see TestStats_MessageIsValidOnlyDuringTheCall",
			"statsHandler":                                "the stats handler of that test",
			"TestRequests_FillChunksFromShortReads":       "requests is a function of chapter 03",
			"TestUpload_BrokenDiskIsInternal":             "calls the internals of chapter 03's server, which is unchanged",
			"TestUpload_FullDiskIsResourceExhausted":      "the same",
			"TestPartial_SystemDecidesWhichRenameIsFirst": "the same",
			"TestToStatus_ChoosesTheCodeAndHidesThePath":  "the same",
		},
	}.Check(t, "../../..")
}
