relusweep_test(worker/losses/logit_terms_test LINK worker_core)
relusweep_test(worker/losses/pram_test LINK test_small_net)
relusweep_test(worker/losses/loss_set_test LINK test_small_net)
