// What programs in Go do with a cluster, done with the library that they do it with. Each suite is a list of named
// checks; what a check finds is one line of JSON.
//
//	program SUITE SETTINGS
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// settings come as JSON.
type settings struct {
	// Kubeconfig is a file that reaches the cluster.
	Kubeconfig string `json:"kubeconfig"`
	// Objects is a file with an object of each kind.
	Objects string `json:"objects"`
	// PerKind and Milliseconds bound how many random objects of a kind are made.
	PerKind      int   `json:"perKind"`
	Milliseconds int64 `json:"milliseconds"`
	Seed         int64 `json:"seed"`
	// Folder is where files may be made.
	Folder string `json:"folder"`
}

// check is one named thing that must hold.
type check struct {
	name string
	run  func(ctx context.Context) error
}

// suite makes its checks; what they share is made there too.
type suite struct {
	make func(given settings) ([]check, error)
	// workers run checks at the same time.
	workers int
	timeout time.Duration
}

var suites = map[string]suite{
	"codec":     {codecChecks, 1, 2 * time.Minute},
	"objects":   {objectChecks, 4, time.Minute},
	"clients":   {clientChecks, 4, time.Minute},
	"informers": {informerChecks, 4, time.Minute},
	"cbor":      {cborChecks, 1, time.Minute},
	"streams":   {streamChecks, 4, time.Minute},
}

var output sync.Mutex

func say(line any) {
	bytes, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(bytes, '\n'))
}

// input is what the test answers, one line for each question.
var input = bufio.NewReaderSize(os.Stdin, 1<<20)

// ask puts a question to the test and reads its answer.
func ask(question, answer any) error {
	say(question)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, answer)
}

type result struct {
	Check        string `json:"check"`
	Milliseconds int64  `json:"milliseconds"`
	Failure      string `json:"failure,omitempty"`
}

func main() {
	chosen, known := suites[os.Args[1]]
	if !known {
		panic("no suite " + os.Args[1])
	}
	var given settings
	if err := json.Unmarshal([]byte(os.Args[2]), &given); err != nil {
		panic(err)
	}
	checks, err := chosen.make(given)
	if err != nil {
		say(result{Check: "starts", Failure: err.Error()})
		return
	}
	queue := make(chan check)
	var workers sync.WaitGroup
	for range chosen.workers {
		workers.Go(func() {
			for each := range queue {
				say(resultOf(each, chosen.timeout))
			}
		})
	}
	for _, each := range checks {
		queue <- each
	}
	close(queue)
	workers.Wait()
}

func resultOf(one check, timeout time.Duration) (found result) {
	found.Check = one.name
	start := time.Now()
	defer func() {
		if fault := recover(); fault != nil {
			found.Failure = fmt.Sprintf("panic: %v\n%s", fault, debug.Stack())
		}
		found.Milliseconds = time.Since(start).Milliseconds()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := one.run(ctx); err != nil {
		found.Failure = err.Error()
	}
	return found
}

// config reaches the cluster without a limit of its own for requests.
func (given settings) config() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", given.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}
