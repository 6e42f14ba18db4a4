document.documentElement.dataset.script = "";
startTheme();
startPrint();
startGroups();
startCharts();
startTimeline();
startAnswers();
