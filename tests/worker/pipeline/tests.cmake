relusweep_test(worker/pipeline/safetensors_test LINK worker_core)
